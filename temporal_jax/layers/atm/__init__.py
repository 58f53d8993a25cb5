"""Layers of ATM (arXiv:2307.08908)."""
