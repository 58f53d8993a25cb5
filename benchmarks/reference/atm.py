"""ATM in torch: its operators, and ViT-B/16 with 400 classes.

Transcribed with the names of the published weights of whwu95/ATM; clips
N T C H W. Functions that take a dict of weights have the names in
`benchmarks.cases.modules`.
"""

import torch
from torch import nn
from torch.nn import functional

from benchmarks.reference import openai_clip, primitives

_WIDTH = openai_clip.WIDTH


def class_token_convolution(x, kernel, frames):
  """TokenT1D: L (N T) C and taps (C, 1, 3)."""
  tokens, folded, channels = x.shape
  x = x.permute(1, 0, 2).contiguous().view(-1, frames, tokens, channels)
  x = x.permute(0, 2, 3, 1).contiguous()
  out = torch.zeros_like(x)
  out[:, 0] = functional.conv1d(x[:, 0], kernel, padding=1, groups=channels)
  out[:, 1:] = x[:, 1:]
  return out.permute(1, 0, 3, 2).contiguous().view(tokens, folded, channels)


def context_frames(x, length):
  """ATM's anchors and contexts: N T C H W -> twice (N T L) C H W."""
  reach = length // 2
  anchor = x[:, :, None].expand(-1, -1, length, -1, -1, -1)
  padded = functional.pad(x, (0, 0, 0, 0, 0, 0, reach, reach))
  context = padded.unfold(1, length, 1).permute(0, 1, 5, 2, 3, 4)
  return (
    anchor.reshape(-1, *x.shape[2:]),
    context.reshape(-1, *x.shape[2:]),
  )


def difference(x, length=5):
  """ATM's difference to each context frame: N T C H W."""
  anchor, context = context_frames(x, length)
  return context - anchor


def log_ratio(x, length=5):
  """ATM's division: N T C H W."""
  anchor, context = context_frames(x, length)
  return context.abs().log1p() - anchor.abs().log1p()


def correlation(x, length=5, window=9):
  """ATM's correlation: the whole (HW)^2 matrix, then its diagonals."""
  anchor, context = (
    f / (f.square().sum(1, keepdim=True) + 1e-6).sqrt()
    for f in context_frames(x, length)
  )
  height, width = x.shape[-2:]
  full = torch.einsum("bcn,bcm->bnm", context.flatten(2), anchor.flatten(2))
  full = full.view(-1, height, width, height, width)
  reach = window // 2
  rows = full.new_zeros(full.shape[0], height, height, window, width)
  for step in range(-reach, reach + 1):
    band = full.diagonal(offset=step, dim1=2, dim2=4)
    sides = (step, 0) if step >= 0 else (0, -step)
    rows[:, :, :, reach - step] = functional.pad(band, sides)
  out = full.new_zeros(full.shape[0], window, width, window, height)
  for step in range(-reach, reach + 1):
    band = rows.diagonal(offset=step, dim1=1, dim2=2)
    sides = (step, 0) if step >= 0 else (0, -step)
    out[:, :, :, reach - step] = functional.pad(band, sides)
  return out.permute(0, 3, 1, 4, 2).contiguous()


def window_encoder(x, w):
  """ATM's Conv2D_UV2C: windows (N T L H W) 1 P P."""
  for i, (stride, padding) in enumerate(((1, 1), (2, 1), (2, 1), (1, 0)), 1):
    x = functional.conv2d(x, w[f"conv{i}"], stride=stride, padding=padding)
    x = primitives.batch_norm(x, w[f"scale{i}"], w[f"bias{i}"]).relu()
  return x[..., 0, 0]


def domain_transformation(x, w, contexts=5):
  """ATM's DomainTransfer: cues (N T L) C H W."""
  for i in (1, 2):
    x = functional.conv2d(x, w[f"conv{i}"], padding=1)
    x = primitives.batch_norm(x, w[f"scale{i}"], w[f"bias{i}"]).relu()
  x = x.reshape(-1, contexts * x.shape[1], *x.shape[2:])
  x = functional.conv2d(x, w["fuse"], padding=1)
  x = primitives.batch_norm(x, w["fuse_scale"], w["fuse_bias"]).relu()
  return functional.conv2d(x, w["expand"])


def _convolution(channels, features, stride=1, padding=1):
  """A 3 x 3 convolution of N C L H W, norm and ReLU."""
  size, sides = (1, 3, 3), (1, stride, stride)
  pad = (0, padding, padding)
  return nn.Sequential(
    nn.Conv3d(channels, features, size, sides, pad, bias=False),
    nn.BatchNorm3d(features),
    nn.ReLU(inplace=True),
  )


class _Transfer(nn.Module):
  """ATM's DomainTransfer: (N T) C L H W -> (N T) C' H W."""

  def __init__(self):
    super().__init__()
    self.conv1, self.conv2 = _convolution(64, 64), _convolution(64, 64)
    self.conv3_fuse = nn.Sequential(
      nn.Identity(),
      nn.Conv3d(320, 64, (1, 3, 3), padding=(0, 1, 1), bias=False),
      nn.BatchNorm3d(64),
      nn.ReLU(inplace=True),
    )
    self.upsample = nn.Sequential(nn.Conv3d(64, _WIDTH, 1, bias=False))

  def forward(self, x):
    x = self.conv2(self.conv1(x))
    x = x.transpose(1, 2).flatten(1, 2)[:, :, None]
    return self.upsample(self.conv3_fuse(x))[:, :, 0]


def _reduction():
  """ATM's convolution of the features into 64 channels."""
  return nn.Sequential(
    nn.Conv2d(_WIDTH, 64, 3, padding=1, bias=False),
    nn.BatchNorm2d(64),
    nn.ReLU(inplace=True),
  )


class _Correlation(nn.Module):
  """ATM's SimBlock: N T C H W."""

  def __init__(self):
    super().__init__()
    self.sim = nn.Module()
    self.sim.downsample = _reduction()
    self.uv2c = nn.Module()
    channels = (1, 4, 16, 64, 64)
    for i, (stride, padding) in enumerate(((1, 1), (2, 1), (2, 1), (1, 0))):
      layer = _convolution(channels[i], channels[i + 1], stride, padding)
      self.uv2c.add_module(f"conv{i}", layer)
    self.sim2vis = _Transfer()

  def forward(self, x):
    frames, height, width = x.shape[1], *x.shape[3:]
    y = self.sim.downsample(x.flatten(0, 1)).unflatten(0, (-1, frames))
    # (N T L) U V H W -> (N T L) 1 (H W) U V.
    windows = correlation(y).flatten(3).permute(0, 3, 1, 2)[:, None]
    for layer in self.uv2c.children():
      windows = layer(windows)
    cues = windows[..., 0, 0].unflatten(2, (height, width))
    cues = cues.unflatten(0, (-1, 5)).transpose(1, 2)
    out = self.sim2vis(cues).unflatten(0, (-1, frames))
    return functional.relu(x + out)


class _Difference(nn.Module):
  """ATM's DiffBlock: N T C H W."""

  def __init__(self):
    super().__init__()
    self.downsample = _reduction()
    self.diff2vis = _Transfer()

  def forward(self, x):
    frames = x.shape[1]
    y = self.downsample(x.flatten(0, 1)).unflatten(0, (-1, frames))
    cues = difference(y).unflatten(0, (-1, 5)).transpose(1, 2)
    out = self.diff2vis(cues).unflatten(0, (-1, frames))
    return functional.relu(x + out)


class _TokenConvolution(nn.Module):
  """ATM's TokenT1D: L (N T) C."""

  def __init__(self):
    super().__init__()
    self.conv = nn.Conv1d(_WIDTH, _WIDTH, 3, groups=_WIDTH, bias=False)

  def forward(self, x, frames):
    return class_token_convolution(x, self.conv.weight, frames)


class _AtmBlock(openai_clip.Block):
  """CLIP's block with ATM's operators: L (N T) C."""

  def __init__(self, models_arithmetic):
    super().__init__()
    self.control_point1 = _TokenConvolution()
    self.control_point2 = _TokenConvolution()
    self.control_point_c = None
    if models_arithmetic:
      self.control_point_c = nn.Module()
      self.control_point_c.corrlayer = _Correlation()
      self.control_point_c.difflayer = _Difference()

  def forward(self, x, frames):
    if self.control_point_c is not None:
      x = torch.cat([x[:1], self._arithmetic(x[1:], frames)])
    x = self.control_point1(x, frames)
    x = x + self.attention_branch(x)
    x = self.control_point2(x, frames)
    return x + self.mlp_branch(x)

  def _arithmetic(self, patches, frames):
    side = round(len(patches) ** 0.5)
    maps = patches.permute(1, 2, 0).unflatten(0, (-1, frames))
    maps = maps.unflatten(-1, (side, side))
    maps = self.control_point_c.corrlayer(maps)
    maps = self.control_point_c.difflayer(maps)
    return maps.flatten(0, 1).flatten(2).permute(2, 0, 1)


class Atm(nn.Module):
  """ATM on CLIP's ViT-B/16, before the eighth block."""

  def __init__(self):
    super().__init__()
    blocks = [_AtmBlock(index == 7) for index in range(openai_clip.DEPTH)]
    self.visual = openai_clip.Tower(16, blocks)
    self.fc = nn.Linear(openai_clip.FEATURES, 400)

  def forward(self, clip):
    """Returns logits."""
    visual, frames = self.visual, clip.shape[1]
    x = visual.ln_pre(visual.embed(clip)).transpose(0, 1)
    for block in visual.transformer.resblocks:
      x = block(x, frames)
    features = visual.ln_post(x[0]) @ visual.proj
    return self.fc(features.unflatten(0, (-1, frames)).mean(1))
