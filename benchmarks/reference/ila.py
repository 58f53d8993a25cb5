"""The video tower of ILA-B/32 as its authors' torch code computes it.

Transcribed under the names of the published weights of Francis-Rings/ILA; clips
N T C H W, masks undisturbed.
"""

import torch
from torch import nn

from benchmarks.reference import operators as torch_forms

_WIDTH, _HEADS, _DEPTH, _SIDE = 768, 12, 12, 7


def _conv(channels, features, size, groups=1):
  return nn.Conv2d(channels, features, size, 1, size // 2, groups=groups)


class _Separable(nn.Module):
  """A depthwise and a pointwise convolution, each with norm and ReLU."""

  def __init__(self):
    super().__init__()
    channels = 2 * _WIDTH
    self.depthwise_conv = nn.Sequential(
      _conv(channels, channels, 3, channels),
      nn.BatchNorm2d(channels),
      nn.ReLU(),
    )
    self.pointwise_conv = nn.Sequential(
      _conv(channels, 256, 1), nn.BatchNorm2d(256), nn.ReLU()
    )

  def forward(self, x):
    return self.pointwise_conv(self.depthwise_conv(x))


class _Alignment(nn.Module):
  """Aligned frames and interactive features of N T L D."""

  def __init__(self):
    super().__init__()
    self.interactive_block = nn.Sequential(
      _Separable(), _conv(256, 256, 3), nn.BatchNorm2d(256), nn.ReLU()
    )
    self.prediction_block = nn.Sequential(
      *(_conv(256, 128, 3), nn.BatchNorm2d(128), nn.ReLU(), nn.MaxPool2d(2)),
      *(_conv(128, 128, 3), nn.BatchNorm2d(128), nn.ReLU(), nn.MaxPool2d(2)),
      *(nn.AdaptiveMaxPool2d(1), nn.Flatten(2)),
      *(nn.Conv1d(128, 64, 1, groups=2), nn.ReLU()),
      *(nn.Conv1d(64, 4, 1, groups=2), nn.Tanh()),
    )
    self.conv = nn.Conv3d(128, 128, (3, 1, 1), padding=(1, 0, 0))
    self.fc = nn.Linear(128, _WIDTH)

  def forward(self, x):
    pairs = torch.cat([x[:, :-1, 1:], x[:, 1:, 1:]], -1).flatten(0, 1)
    pairs = pairs.transpose(1, 2).unflatten(2, (_SIDE, _SIDE))
    shared = self.interactive_block(pairs)
    points = 0.75 * self.prediction_block(shared)[..., 0]
    points = points.unflatten(0, (len(x), -1))
    aligned = torch_forms.alignment(x, points, _SIDE)
    first, second = shared.unflatten(0, (len(x), -1)).split(128, 2)
    middle = (first[:, 1:] + second[:, :-1]) / 2
    merged = torch.cat([first[:, :1], middle, second[:, -1:]], 1)
    merged = self.conv(merged.transpose(1, 2)).flatten(3).permute(0, 2, 3, 1)
    return aligned, torch.cat([x[:, :, :1], self.fc(merged)], 2)


class _Block(nn.Module):
  """CLIP's block behind the alignment: N T L D."""

  def __init__(self):
    super().__init__()
    self.message_fc = nn.Linear(_WIDTH, _WIDTH)
    self.message_ln = nn.LayerNorm(_WIDTH)
    self.message_attn = _Alignment()
    self.temporal_skip_align_fc = nn.Linear(_WIDTH, _WIDTH)
    self.temporal_skip_fc = nn.Linear(_WIDTH, _WIDTH)
    self.ln_1, self.ln_2 = nn.LayerNorm(_WIDTH), nn.LayerNorm(_WIDTH)
    self.attn = nn.MultiheadAttention(_WIDTH, _HEADS)
    self.mlp = nn.Module()
    self.mlp.c_fc = nn.Linear(_WIDTH, 4 * _WIDTH)
    self.mlp.c_proj = nn.Linear(4 * _WIDTH, _WIDTH)

  def forward(self, x):
    message = self.message_ln(self.message_fc(x))
    aligned, interactive = self.message_attn(message)
    x = x + self.temporal_skip_align_fc(aligned)
    x = x + self.temporal_skip_fc(interactive)
    normed = self.ln_1(x).flatten(0, 1).transpose(0, 1)
    heard = self.attn(normed, normed, normed, need_weights=False)[0]
    x = x + heard.transpose(0, 1).view_as(x)
    hidden = torch_forms.quick_gelu(self.mlp.c_fc(self.ln_2(x)))
    return x + self.mlp.c_proj(hidden)


class IlaTower(nn.Module):
  """CLIP's ViT-B/32 with ILA in every block."""

  def __init__(self):
    super().__init__()
    self.class_embedding = nn.Parameter(0.02 * torch.randn(_WIDTH))
    positions = 0.02 * torch.randn(_SIDE**2 + 1, _WIDTH)
    self.positional_embedding = nn.Parameter(positions)
    self.conv1 = nn.Conv2d(3, _WIDTH, 32, 32, bias=False)
    self.ln_pre, self.ln_post = nn.LayerNorm(_WIDTH), nn.LayerNorm(_WIDTH)
    self.transformer = nn.Module()
    self.transformer.resblocks = nn.ModuleList(_Block() for _ in range(_DEPTH))
    self.proj = nn.Parameter(0.02 * torch.randn(_WIDTH, 512))

  def forward(self, clip):
    """Returns features, averaged over the frames."""
    x = self.conv1(clip.flatten(0, 1)).flatten(2).transpose(1, 2)
    x = torch.cat([self.class_embedding.expand(len(x), 1, -1), x], 1)
    x = self.ln_pre(x + self.positional_embedding)
    x = x.unflatten(0, clip.shape[:2])
    for block in self.transformer.resblocks:
      x = block(x)
    return (self.ln_post(x[:, :, 0]) @ self.proj).mean(1)
