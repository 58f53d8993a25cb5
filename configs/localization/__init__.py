"""Runs that find segments in films: a file each, or one for all of a paper."""
