"""TimeSformer's attention patterns on CLIP's ViT-B/32, in torch.

After facebookresearch/TimeSformer, with a class token a frame as in the
comparison of ILA; clips N T C H W, the blocks named as CLIP's.
"""

import torch
from torch import nn

from benchmarks.reference import operators as torch_forms
from convert_weights.formats import clip
from convert_weights.rules import Rule, layer_norm, linear, under

_WIDTH, _HEADS, _DEPTH = 768, 12, 12


def _attention():
  return nn.MultiheadAttention(_WIDTH, _HEADS, batch_first=True)


def _attend(attention, x):
  return attention(x, x, x, need_weights=False)[0]


class _Block(nn.Module):
  """N T L D."""

  def __init__(self, pattern):
    super().__init__()
    self.pattern = pattern
    if pattern == "divided":
      self.temporal_norm = nn.LayerNorm(_WIDTH, 1e-6)
      self.temporal_attn = _attention()
      self.temporal_fc = nn.Linear(_WIDTH, _WIDTH)
    self.ln_1, self.ln_2 = nn.LayerNorm(_WIDTH), nn.LayerNorm(_WIDTH)
    self.attn = _attention()
    self.mlp = nn.Module()
    self.mlp.c_fc = nn.Linear(_WIDTH, 4 * _WIDTH)
    self.mlp.c_proj = nn.Linear(4 * _WIDTH, _WIDTH)

  def forward(self, x):
    if self.pattern == "divided":
      patches = x[:, :, 1:]
      y = self.temporal_norm(patches).transpose(1, 2).flatten(0, 1)
      y = self.temporal_fc(_attend(self.temporal_attn, y))
      y = y.unflatten(0, (len(x), -1)).transpose(1, 2)
      x = torch.cat([x[:, :, :1], patches + y], 2)
    together = (1, 2) if self.pattern == "joint" else (0, 1)
    y = _attend(self.attn, self.ln_1(x).flatten(*together))
    x = x + y.view_as(x)
    hidden = torch_forms.quick_gelu(self.mlp.c_fc(self.ln_2(x)))
    return x + self.mlp.c_proj(hidden)


class TimeSformer(nn.Module):
  """A pattern is "joint" or "divided"."""

  def __init__(self, pattern):
    super().__init__()
    self.class_embedding = nn.Parameter(0.02 * torch.randn(_WIDTH))
    self.positional_embedding = nn.Parameter(0.02 * torch.randn(50, _WIDTH))
    self.time_embed = nn.Parameter(0.02 * torch.randn(8, _WIDTH))
    self.conv1 = nn.Conv2d(3, _WIDTH, 32, 32, bias=False)
    self.ln_pre, self.ln_post = nn.LayerNorm(_WIDTH), nn.LayerNorm(_WIDTH)
    self.transformer = nn.Module()
    blocks = [_Block(pattern) for _ in range(_DEPTH)]
    self.transformer.resblocks = nn.ModuleList(blocks)
    self.proj = nn.Parameter(0.02 * torch.randn(_WIDTH, 512))

  def forward(self, clip):
    """Returns features, averaged over the frames."""
    x = self.conv1(clip.flatten(0, 1)).flatten(2).transpose(1, 2)
    x = torch.cat([self.class_embedding.expand(len(x), 1, -1), x], 1)
    x = (x + self.positional_embedding).unflatten(0, clip.shape[:2])
    x = self.ln_pre(x + self.time_embed[: clip.shape[1], None])
    for block in self.transformer.resblocks:
      x = block(x)
    return (self.ln_post(x[:, :, 0]) @ self.proj).mean(1)


def rules() -> list[Rule]:
  """Rules of a `VisionTransformer` with a pattern from it."""
  branch = [
    *layer_norm("norm", "temporal_norm"),
    *clip.attention("attention", "temporal_attn"),
    *linear("out", "temporal_fc"),
  ]
  block = [*under(branch, "attention_branch", ""), *clip.transformer_block()]
  positions = Rule("params/temporal_embedding", ("time_embed",), "t c -> t c")
  return [positions, *clip.vision_transformer(block)]
