"""TAdaConv (arXiv:2110.06178) and TAdaConvV2 (arXiv:2308.05787)."""
