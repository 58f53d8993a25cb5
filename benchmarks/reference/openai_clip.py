"""CLIP's vision transformer in torch, on which other papers' networks build.

Parameters have the names of openai/CLIP; ViT-B sizes, clips N T C H W.
"""

import torch
from torch import nn

from benchmarks.reference import primitives

WIDTH, HEADS, DEPTH, FEATURES = 768, 12, 12, 512


class Block(nn.Module):
  """A transformer block whose two branches are added one by one.

  Tokens are L B D, or B L D if `batch_first`.
  """

  def __init__(self, *, batch_first=False):
    super().__init__()
    self.ln_1, self.ln_2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
    self.attn = nn.MultiheadAttention(WIDTH, HEADS, batch_first=batch_first)
    self.mlp = nn.Module()
    self.mlp.c_fc = nn.Linear(WIDTH, 4 * WIDTH)
    self.mlp.c_proj = nn.Linear(4 * WIDTH, WIDTH)

  def attend(self, normed):
    """Returns attention among normed tokens."""
    return self.attn(normed, normed, normed, need_weights=False)[0]

  def attention_branch(self, x):
    """Returns attention among tokens, which are normed first."""
    return self.attend(self.ln_1(x))

  def mlp_branch(self, x):
    """Returns the perceptron of tokens, which are normed first."""
    return self.mlp.c_proj(primitives.quick_gelu(self.mlp.c_fc(self.ln_2(x))))


class Tower(nn.Module):
  """The parameters around the blocks, and the embedding of patches."""

  def __init__(self, patch_size, blocks):
    super().__init__()
    tokens = (224 // patch_size) ** 2 + 1
    self.class_embedding = nn.Parameter(_small(WIDTH))
    self.positional_embedding = nn.Parameter(_small(tokens, WIDTH))
    self.conv1 = nn.Conv2d(3, WIDTH, patch_size, patch_size, bias=False)
    self.ln_pre, self.ln_post = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
    self.transformer = nn.Module()
    self.transformer.resblocks = nn.ModuleList(blocks)
    self.proj = nn.Parameter(_small(WIDTH, FEATURES))

  def embed(self, clip):
    """Returns tokens (N T) L D with positions, before the first norm."""
    x = self.conv1(clip.flatten(0, 1)).flatten(2).transpose(1, 2)
    token = self.class_embedding.expand(len(x), 1, -1)
    return torch.cat([token, x], 1) + self.positional_embedding


def _small(*shape):
  return 0.02 * torch.randn(shape)
