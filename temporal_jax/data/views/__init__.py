"""Views of a video that a test scores: clips and crops."""
