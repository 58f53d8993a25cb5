"""Joint and divided space-time attention in torch, also on CLIP's ViT-B/32.

Written from the equations of the paper (Bertasius et al. 2021,
arXiv:2102.05095), not from the authors' code, whose licence forbids commercial
use. One class token per frame, as in ILA's comparison (arXiv:2304.10465); clips
are N T C H W, tokens N T L D, queries, keys and values (N T) L M d of M heads.
"""

import torch
from torch import nn

from benchmarks.reference import openai_clip
from convert_weights.formats import clip
from convert_weights.rules import Rule, layer_norm, linear, under

_WIDTH, _FRAMES = openai_clip.WIDTH, 8


def joint_attention(q, k, v, frames):
  """Every token attends to all tokens of its clip: (N T) L M d."""

  def gather(x):
    return x.unflatten(0, (-1, frames)).flatten(1, 2).transpose(1, 2)  # N M TL d

  out = _weigh(gather(q), gather(k), gather(v))
  return out.transpose(1, 2).reshape(q.shape)


def temporal_attention(q, k, v, frames):
  """Every token attends to its place in all frames: (N T) L M d."""

  def gather(x):
    return x.unflatten(0, (-1, frames)).permute(0, 2, 3, 1, 4)  # N L M T d

  out = _weigh(gather(q), gather(k), gather(v))
  return out.permute(0, 3, 1, 2, 4).reshape(q.shape)


def _weigh(q, k, v):
  """Softmax(q k / sqrt(d)) v, over the last but one axis."""
  return (q * q.shape[-1] ** -0.5 @ k.transpose(-2, -1)).softmax(-1) @ v


class _JointBlock(openai_clip.Block):
  """CLIP's block, whose attention is among all tokens of a clip: N T L D."""

  def __init__(self):
    super().__init__(batch_first=True)

  def forward(self, x):
    x = x + self.attention_branch(x.flatten(1, 2)).view_as(x)
    return x + self.mlp_branch(x)


class _DividedBlock(openai_clip.Block):
  """CLIP's block after attention along time among patches: N T L D."""

  def __init__(self):
    super().__init__(batch_first=True)
    self.norm = nn.LayerNorm(_WIDTH, 1e-6)
    self.attention = nn.MultiheadAttention(_WIDTH, openai_clip.HEADS, batch_first=True)
    self.out = nn.Linear(_WIDTH, _WIDTH)

  def along_time(self, patches):
    """Returns attention of patches N T L D over the frames' same place."""
    series = self.norm(patches).transpose(1, 2)  # N L T D
    flat = series.flatten(0, 1)
    heard, _ = self.attention(flat, flat, flat, need_weights=False)
    return self.out(heard).view(series.shape).transpose(1, 2)

  def forward(self, x):
    token, patches = x[:, :, :1], x[:, :, 1:]
    x = torch.cat([token, patches + self.along_time(patches)], 2)
    x = x + self.attention_branch(x.flatten(0, 1)).view_as(x)
    return x + self.mlp_branch(x)


_BLOCKS = {"joint": _JointBlock, "divided": _DividedBlock}


class TimeSformer(openai_clip.Tower):
  """ViT-B/32 of 8 frames; a pattern is "joint" or "divided"."""

  def __init__(self, pattern):
    super().__init__(32, [_BLOCKS[pattern]() for _ in range(openai_clip.DEPTH)])
    self.times = nn.Parameter(torch.randn(_FRAMES, 1, _WIDTH) * 0.02)

  def forward(self, clip):
    """Returns features, averaged over the frames."""
    x = self.embed(clip).unflatten(0, clip.shape[:2])
    x = self.ln_pre(x + self.times[: x.shape[1]])
    for block in self.transformer.resblocks:
      x = block(x)
    return (self.ln_post(x[:, :, 0]) @ self.proj).mean(1)


def rules() -> list[Rule]:
  """Rules of a `VisionTransformer` with a pattern from it."""
  branch = [
    *layer_norm("norm", "norm"),
    *clip.attention("attention", "attention"),
    *linear("out", "out"),
  ]
  block = [*under(branch, "attention_branch", ""), *clip.transformer_block()]
  times = Rule("params/temporal_embedding", ("times",), "t 1 c -> t c")
  return [times, *clip.vision_transformer(block)]
