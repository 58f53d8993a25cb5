"""Blocks, heads and embeddings that backbones are built of."""
