"""Runs of TAdaConv, arXiv:2308.05787."""
