"""Runs of bLVNet-TAM, arXiv:1912.00869."""
