"""X-ViT in torch: space-time mixing, and ViT-B/16 with 400 classes.

Transcribed with the names of the published weights of
1adrianb/video-transformers; clips N T C H W.
"""

import torch
from torch import nn
from torch.nn import functional

from benchmarks.reference import primitives, tsm

_WIDTH, _HEADS, _DEPTH = 768, 12, 12


def mixing_attention(q, k, v, frames, fold_div=8):
  """X-ViT: (N T) L M d; keys and values are shifted with heads flattened."""

  def shift(x):
    flat = x.permute(0, 2, 3, 1).flatten(1, 2)[..., None]
    moved = tsm.temporal_shift(flat.contiguous(), frames, fold_div)[..., 0]
    moved = moved.view(x.shape[0], x.shape[2], x.shape[3], x.shape[1])
    return moved.permute(0, 3, 1, 2)

  return primitives.attention(q, shift(k), shift(v))


class _TimmAttention(nn.Module):
  """Attention of timm's blocks; with frames, keys and values are shifted."""

  def __init__(self, bias):
    super().__init__()
    self.qkv = nn.Linear(_WIDTH, 3 * _WIDTH, bias=bias)
    self.proj = nn.Linear(_WIDTH, _WIDTH)

  def forward(self, x, frames):
    q, k, v = self.qkv(x).unflatten(-1, (3, _HEADS, -1)).unbind(2)
    if frames is None:
      out = primitives.attention(q, k, v)
    else:
      out = mixing_attention(q, k, v, frames)
    return self.proj(out.flatten(2))


class _TimmBlock(nn.Module):
  """B N D."""

  def __init__(self, bias=True, epsilon=1e-6):
    super().__init__()
    self.norm1 = nn.LayerNorm(_WIDTH, epsilon)
    self.attn = _TimmAttention(bias)
    self.norm2 = nn.LayerNorm(_WIDTH, epsilon)
    self.mlp = nn.Module()
    self.mlp.fc1 = nn.Linear(_WIDTH, 4 * _WIDTH)
    self.mlp.fc2 = nn.Linear(4 * _WIDTH, _WIDTH)

  def forward(self, x, frames=None):
    x = x + self.attn(self.norm1(x), frames)
    hidden = functional.gelu(self.mlp.fc1(self.norm2(x)))
    return x + self.mlp.fc2(hidden)


class _VitHead(nn.Module):
  """Temporal attention over the frames' class tokens: N T D."""

  def __init__(self):
    super().__init__()
    self.cls_token = nn.Parameter(_small(1, 1, _WIDTH))
    self.temporal_encoder = nn.ModuleList([_TimmBlock(False, 1e-5)])
    self.mlp_head = nn.Sequential(
      nn.LayerNorm(_WIDTH),
      nn.Linear(_WIDTH, _WIDTH),
      nn.GELU(),
      nn.Dropout(0.0),
      nn.Linear(_WIDTH, 400),
    )

  def forward(self, x):
    x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], 1)
    for block in self.temporal_encoder:
      x = block(x)
    return self.mlp_head(x[:, 0])


class XVit(nn.Module):
  """X-ViT-B/16: space-time mixing among all frames."""

  def __init__(self):
    super().__init__()
    self.base_model = base = nn.Module()
    base.cls_token = nn.Parameter(_small(1, 1, _WIDTH))
    base.pos_embed = nn.Parameter(_small(1, 197, _WIDTH))
    base.temp_embed = nn.Parameter(_small(1, 8, 1, _WIDTH))
    base.patch_embed = nn.Module()
    base.patch_embed.proj = nn.Conv2d(3, _WIDTH, 16, 16)
    base.blocks = nn.ModuleList([_TimmBlock() for _ in range(_DEPTH)])
    base.norm = nn.LayerNorm(_WIDTH, 1e-6)
    self.consensus = _VitHead()

  def forward(self, clip):
    """Returns logits."""
    base, frames = self.base_model, clip.shape[1]
    x = base.patch_embed.proj(clip.flatten(0, 1)).flatten(2).transpose(1, 2)
    x = torch.cat([base.cls_token.expand(len(x), -1, -1), x], 1)
    x = (x + base.pos_embed).unflatten(0, (-1, frames))
    x = x + base.temp_embed.repeat(1, -(-frames // 8), 1, 1)[:, :frames]
    x = x.flatten(0, 1)
    for block in base.blocks:
      x = block(x, frames)
    return self.consensus(base.norm(x)[:, 0].unflatten(0, (-1, frames)))


def _small(*shape):
  return 0.02 * torch.randn(shape)
