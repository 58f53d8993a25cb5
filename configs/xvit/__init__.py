"""Runs of X-ViT, arXiv:2106.05968."""
