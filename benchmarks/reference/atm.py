"""ATM as its authors' torch code computes it: ViT-B/16, 400 classes.

Transcribed under the names of the published weights of whwu95/ATM; clips
N T C H W.
"""

import torch
from torch import nn
from torch.nn import functional

from benchmarks.reference import operators as torch_forms

_WIDTH, _HEADS, _DEPTH = 768, 12, 12


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
    windows = torch_forms.correlation(y).flatten(3).permute(0, 3, 1, 2)[:, None]
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
    cues = torch_forms.difference(y).unflatten(0, (-1, 5)).transpose(1, 2)
    out = self.diff2vis(cues).unflatten(0, (-1, frames))
    return functional.relu(x + out)


class _TokenConvolution(nn.Module):
  """ATM's TokenT1D: L (N T) C."""

  def __init__(self):
    super().__init__()
    self.conv = nn.Conv1d(_WIDTH, _WIDTH, 3, groups=_WIDTH, bias=False)

  def forward(self, x, frames):
    return torch_forms.class_token_convolution(x, self.conv.weight, frames)


class _AtmBlock(nn.Module):
  """CLIP's block with ATM's operators: L (N T) C."""

  def __init__(self, models_arithmetic):
    super().__init__()
    self.ln_1, self.ln_2 = nn.LayerNorm(_WIDTH), nn.LayerNorm(_WIDTH)
    self.attn = nn.MultiheadAttention(_WIDTH, _HEADS)
    self.mlp = nn.Module()
    self.mlp.c_fc = nn.Linear(_WIDTH, 4 * _WIDTH)
    self.mlp.c_proj = nn.Linear(4 * _WIDTH, _WIDTH)
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
    normed = self.ln_1(x)
    x = x + self.attn(normed, normed, normed, need_weights=False)[0]
    x = self.control_point2(x, frames)
    hidden = torch_forms.quick_gelu(self.mlp.c_fc(self.ln_2(x)))
    return x + self.mlp.c_proj(hidden)

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
    self.visual = visual = nn.Module()
    visual.class_embedding = nn.Parameter(_small(_WIDTH))
    visual.positional_embedding = nn.Parameter(_small(197, _WIDTH))
    visual.conv1 = nn.Conv2d(3, _WIDTH, 16, 16, bias=False)
    visual.ln_pre = nn.LayerNorm(_WIDTH)
    visual.transformer = nn.Module()
    visual.transformer.resblocks = nn.ModuleList(
      [_AtmBlock(index == 7) for index in range(_DEPTH)]
    )
    visual.ln_post = nn.LayerNorm(_WIDTH)
    visual.proj = nn.Parameter(_small(_WIDTH, 512))
    self.fc = nn.Linear(512, 400)

  def forward(self, clip):
    """Returns logits."""
    visual, frames = self.visual, clip.shape[1]
    x = visual.conv1(clip.flatten(0, 1)).flatten(2).transpose(1, 2)
    token = visual.class_embedding.expand(len(x), 1, -1)
    x = torch.cat([token, x], 1) + visual.positional_embedding
    x = visual.ln_pre(x).transpose(0, 1)
    for block in visual.transformer.resblocks:
      x = block(x, frames)
    features = visual.ln_post(x[0]) @ visual.proj
    return self.fc(features.unflatten(0, (-1, frames)).mean(1))


def _small(*shape):
  return 0.02 * torch.randn(shape)
