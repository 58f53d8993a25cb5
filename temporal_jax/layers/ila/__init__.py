"""Layers of ILA (arXiv:2304.10465)."""
