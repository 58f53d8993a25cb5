"""Backbones with temporal slots, one file each."""
