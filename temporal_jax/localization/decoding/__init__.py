"""Decodes network outputs into segments with scores and labels."""
