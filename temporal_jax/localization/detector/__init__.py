"""Detects segments in the features of films by a trained network."""
