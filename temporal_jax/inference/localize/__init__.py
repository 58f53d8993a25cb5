"""Segments of videos: a network of features and a detector together."""
