"""Slow, SlowFast and R(2+1)D of PyTorchVideo, with the names of its tensors.

Written from the library's code; sizes as in `torch_video_resnets`.
"""

import torch
from torch import nn
from torch.nn import functional

from tests.support.torch_video_resnets import (
  BETA,
  CLASSES,
  SLOW_TAPS,
  WIDTH,
  Residual,
  conv3d,
  max_pool,
  slow_frames,
  stages,
)


class _TimeFirst(nn.Module):
  """Along time, then over space."""

  def __init__(self, width, strides):
    super().__init__()
    self.conv_t = conv3d(width, width, 3, 1, (strides[0], 1))
    self.norm = nn.BatchNorm3d(width)
    self.conv_xy = conv3d(width, width, 1, 3, (1, strides[1]))

  def forward(self, x):
    return self.conv_xy(functional.relu(self.norm(self.conv_t(x))))


class _Block(Residual):
  def __init__(self, channels, width, strides, first_taps, factorised):
    super().__init__()
    features = 4 * width
    self.branch2 = nn.Module()
    middle = conv3d(width, width, 1, 3, strides)
    if factorised:
      middle = _TimeFirst(width, strides)
    convs = (
      conv3d(channels, width, first_taps, 1),
      middle,
      conv3d(width, features, 1, 1),
    )
    for letter, conv, norm in zip("abc", convs, (width, width, features), strict=True):
      self.branch2.add_module(f"conv_{letter}", conv)
      self.branch2.add_module(f"norm_{letter}", nn.BatchNorm3d(norm))
    self.changes = strides != (1, 1) or channels != features
    if self.changes:
      self.branch1_conv = conv3d(channels, features, 1, 1, strides)
      self.branch1_norm = nn.BatchNorm3d(features)

  def branch(self, x):
    parts = self.branch2
    x = functional.relu(parts.norm_a(parts.conv_a(x)))
    x = functional.relu(parts.norm_b(parts.conv_b(x)))
    return parts.norm_c(parts.conv_c(x))

  def shortcut(self, x):
    return self.branch1_norm(self.branch1_conv(x)) if self.changes else x

  def forward(self, x):
    return self.add(x)


class _Stem(nn.Module):
  def __init__(self, width, taps, pools):
    super().__init__()
    self.conv, self.norm = conv3d(3, width, taps, 7, (1, 2)), nn.BatchNorm3d(width)
    self.pools = pools

  def forward(self, x):
    x = functional.relu(self.norm(self.conv(x)))
    return max_pool(x) if self.pools else x


class _Stage(nn.Module):
  def __init__(self, blocks):
    super().__init__()
    self.res_blocks = nn.ModuleList(blocks)

  def forward(self, x):
    for block in self.res_blocks:
      x = block(x)
    return x


class _Head(nn.Module):
  def __init__(self, features):
    super().__init__()
    self.proj = nn.Linear(features, CLASSES)


def _pathway(width, taps, first_taps, *, factorised=False, more=lambda channels: 0):
  """Returns a stem and four stages."""
  space = (2, 2, 2, 2) if factorised else (1, 2, 2, 2)
  time = (1, 1, 2, 2) if factorised else (1, 1, 1, 1)

  def block(channels, width, is_first, stage):
    strides = (time[stage], space[stage]) if is_first else (1, 1)
    return _Block(channels, width, strides, first_taps[stage], factorised)

  blocks = stages(block, width, width, 4, more)
  return [_Stem(width, taps, not factorised), *map(_Stage, blocks)]


class OnePathway(nn.Module):
  """Slow, or R(2+1)D."""

  def __init__(self, *, factorised=False):
    super().__init__()
    taps = (1, 1, 1, 1) if factorised else SLOW_TAPS
    pathway = _pathway(WIDTH, 1, taps, factorised=factorised)
    self.blocks = nn.ModuleList([*pathway, _Head(32 * WIDTH)])

  def forward(self, clip):
    for block in self.blocks[:-1]:
      clip = block(clip)
    return self.blocks[-1].proj(clip.mean((2, 3, 4)))


class _Fusion(nn.Module):
  def __init__(self, channels, taps, alpha):
    super().__init__()
    self.conv_fast_to_slow = conv3d(channels, 2 * channels, taps, 1, (alpha, 1))
    self.norm = nn.BatchNorm3d(2 * channels)

  def forward(self, x):
    return functional.relu(self.norm(self.conv_fast_to_slow(x)))


class SlowFast(nn.Module):
  """Two pathways."""

  def __init__(self, alpha=4, lateral_taps=7):
    super().__init__()
    self.alpha = alpha
    slow = _pathway(WIDTH, 1, SLOW_TAPS, more=lambda channels: 2 * channels // BETA)
    fast = _pathway(WIDTH // BETA, 5, (3, 3, 3, 3))
    blocks = []
    for stage, pair in enumerate(zip(slow, fast, strict=True)):
      block = nn.Module()
      block.multipathway_blocks = nn.ModuleList(pair)
      block.multipathway_fusion = nn.Identity()
      if stage < 4:
        channels = WIDTH // BETA * (1, 4, 8, 16)[stage]
        block.multipathway_fusion = _Fusion(channels, lateral_taps, alpha)
      blocks.append(block)
    head = _Head(32 * WIDTH + 32 * WIDTH // BETA)
    self.blocks = nn.ModuleList([*blocks, nn.Identity(), head])

  def forward(self, clip):
    slow, fast = slow_frames(clip, self.alpha), clip
    for stage, block in enumerate(self.blocks[:5]):
      slow, fast = (
        pathway(x)
        for pathway, x in zip(block.multipathway_blocks, (slow, fast), strict=True)
      )
      if stage < 4:
        slow = torch.cat([slow, block.multipathway_fusion(fast)], 1)
    features = torch.cat([x.mean((2, 3, 4)) for x in (slow, fast)], 1)
    return self.blocks[-1].proj(features)
