"""Runs over the fields of `base.py`: a file each, or one for all of a paper."""
