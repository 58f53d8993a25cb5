"""Runs, one file each, over the fields of `base.py`."""
