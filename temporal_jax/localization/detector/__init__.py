"""From the features of films to segments, by a trained network."""
