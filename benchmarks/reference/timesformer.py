"""TimeSformer's attention patterns in torch, also on CLIP's ViT-B/32.

After facebookresearch/TimeSformer, with one class token per frame as in ILA's
comparison; clips N T C H W, blocks have CLIP's names.
"""

import torch
from torch import nn

from benchmarks.reference import openai_clip, primitives
from convert_weights.formats import clip
from convert_weights.rules import Rule, layer_norm, linear, under

_WIDTH = openai_clip.WIDTH


def joint_attention(q, k, v, frames):
  """All tokens of a clip: (N T) L M d."""
  clips = (x.view(-1, frames * x.shape[1], *x.shape[2:]) for x in (q, k, v))
  return primitives.attention(*clips).view_as(q)


def temporal_attention(q, k, v, frames):
  """The frames at each place: (N T) L M d."""

  def fold(x):
    return x.view(-1, frames, *x.shape[1:]).transpose(1, 2).flatten(0, 1)

  out = primitives.attention(fold(q), fold(k), fold(v))
  out = out.view(-1, q.shape[1], *out.shape[1:]).transpose(1, 2)
  return out.flatten(0, 1)


class _Block(openai_clip.Block):
  """CLIP's block with joint or divided attention: N T L D."""

  def __init__(self, pattern):
    super().__init__(batch_first=True)
    self.pattern = pattern
    if pattern == "divided":
      self.temporal_norm = nn.LayerNorm(_WIDTH, 1e-6)
      self.temporal_attn = nn.MultiheadAttention(
        _WIDTH, openai_clip.HEADS, batch_first=True
      )
      self.temporal_fc = nn.Linear(_WIDTH, _WIDTH)

  def forward(self, x):
    if self.pattern == "divided":
      patches = x[:, :, 1:]
      y = self.temporal_norm(patches).transpose(1, 2).flatten(0, 1)
      y = self.temporal_fc(self.temporal_attn(y, y, y, need_weights=False)[0])
      y = y.unflatten(0, (len(x), -1)).transpose(1, 2)
      x = torch.cat([x[:, :, :1], patches + y], 2)
    # Attention over all tokens of a clip, or over those of a frame.
    tokens = x.flatten(1, 2) if self.pattern == "joint" else x.flatten(0, 1)
    x = x + self.attention_branch(tokens).view_as(x)
    return x + self.mlp_branch(x)


class TimeSformer(openai_clip.Tower):
  """A pattern is "joint" or "divided"."""

  def __init__(self, pattern):
    super().__init__(32, [_Block(pattern) for _ in range(openai_clip.DEPTH)])
    self.time_embed = nn.Parameter(0.02 * torch.randn(8, _WIDTH))

  def forward(self, clip):
    """Returns features, averaged over the frames."""
    x = self.embed(clip).unflatten(0, clip.shape[:2])
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
