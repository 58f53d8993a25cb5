"""ILA in torch: its operators, and the video tower of ILA-B/32.

Transcribed with the names of the published weights of Francis-Rings/ILA; clips
N T C H W, masks undisturbed.
"""

import torch
from torch import nn
from torch.nn import functional

from benchmarks.reference import openai_clip, primitives

_WIDTH, _SIDE = openai_clip.WIDTH, 7


def alignment(x, points, size):
  """ILA's masks and aligned frames: N T L C and N T-1 4."""
  pre, cur = x[:, :-1], x[:, 1:]
  masked = []
  for tokens, point in ((pre, points[..., :2]), (cur, points[..., 2:])):
    mask = _alignment_mask(point, size).flatten(2)[..., None]
    masked.append(torch.cat([tokens[:, :, :1], tokens[:, :, 1:] * mask], 2))
  middle = (masked[0][:, 1:] + masked[1][:, :-1]) / 2
  return torch.cat([masked[0][:, :1], middle, masked[1][:, -1:]], 1)


def _alignment_mask(points, size):
  grid = torch.linspace(-1, 1, size, device=points.device)
  far = (grid[:, None] - points[..., None, :]).abs()
  near = (far <= 0.25).to(far.dtype)
  slope = (1 - (far - 0.25) * 1.5).relu()
  weight = near + (1 - near) * slope
  return weight[..., 1][..., :, None] * weight[..., 0][..., None, :]


def interaction(x, w):
  """ILA's interactive block, separable: (N P) 2C H W."""
  groups = x.shape[1]
  x = functional.conv2d(
    x, w["depthwise"], w["depthwise_bias"], padding=1, groups=groups
  )
  x = primitives.batch_norm(x, w["depthwise_scale"], w["depthwise_offset"]).relu()
  for i in (1, 2):
    x = functional.conv2d(x, w[f"conv{i}"], w[f"conv{i}_bias"], padding=i - 1)
    x = primitives.batch_norm(x, w[f"scale{i}"], w[f"bias{i}"]).relu()
  return x


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
      _conv(256, 128, 3),
      nn.BatchNorm2d(128),
      nn.ReLU(),
      nn.MaxPool2d(2),
      _conv(128, 128, 3),
      nn.BatchNorm2d(128),
      nn.ReLU(),
      nn.MaxPool2d(2),
      nn.AdaptiveMaxPool2d(1),
      nn.Flatten(2),
      nn.Conv1d(128, 64, 1, groups=2),
      nn.ReLU(),
      nn.Conv1d(64, 4, 1, groups=2),
      nn.Tanh(),
    )
    self.conv = nn.Conv3d(128, 128, (3, 1, 1), padding=(1, 0, 0))
    self.fc = nn.Linear(128, _WIDTH)

  def forward(self, x):
    pairs = torch.cat([x[:, :-1, 1:], x[:, 1:, 1:]], -1).flatten(0, 1)
    pairs = pairs.transpose(1, 2).unflatten(2, (_SIDE, _SIDE))
    shared = self.interactive_block(pairs)
    points = 0.75 * self.prediction_block(shared)[..., 0]
    points = points.unflatten(0, (len(x), -1))
    aligned = alignment(x, points, _SIDE)
    first, second = shared.unflatten(0, (len(x), -1)).split(128, 2)
    middle = (first[:, 1:] + second[:, :-1]) / 2
    merged = torch.cat([first[:, :1], middle, second[:, -1:]], 1)
    merged = self.conv(merged.transpose(1, 2)).flatten(3).permute(0, 2, 3, 1)
    return aligned, torch.cat([x[:, :, :1], self.fc(merged)], 2)


class _Block(openai_clip.Block):
  """CLIP's block after the alignment: N T L D."""

  def __init__(self):
    super().__init__()
    self.message_fc = nn.Linear(_WIDTH, _WIDTH)
    self.message_ln = nn.LayerNorm(_WIDTH)
    self.message_attn = _Alignment()
    self.temporal_skip_align_fc = nn.Linear(_WIDTH, _WIDTH)
    self.temporal_skip_fc = nn.Linear(_WIDTH, _WIDTH)

  def forward(self, x):
    message = self.message_ln(self.message_fc(x))
    aligned, interactive = self.message_attn(message)
    x = x + self.temporal_skip_align_fc(aligned)
    x = x + self.temporal_skip_fc(interactive)
    heard = self.attend(self.ln_1(x).flatten(0, 1).transpose(0, 1))
    x = x + heard.transpose(0, 1).view_as(x)
    return x + self.mlp_branch(x)


class IlaTower(openai_clip.Tower):
  """CLIP's ViT-B/32 with ILA in every block."""

  def __init__(self):
    super().__init__(32, [_Block() for _ in range(openai_clip.DEPTH)])

  def forward(self, clip):
    """Returns features, averaged over the frames."""
    x = self.ln_pre(self.embed(clip)).unflatten(0, clip.shape[:2])
    for block in self.transformer.resblocks:
      x = block(x)
    return (self.ln_post(x[:, :, 0]) @ self.proj).mean(1)
