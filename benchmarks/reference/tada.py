"""TAdaConv and temporal pooling in torch (TAda2D): N C T H W.

Modules have the names of the published weights of
alibaba-mmai-research/TAdaConv; functions take a dict of weights with the names
in `benchmarks.cases.modules`.
"""

import torch
from torch import nn
from torch.nn import functional

from benchmarks.reference import primitives


def average_pooling(x):
  """Strided temporal pooling: N C T H W."""
  return functional.avg_pool3d(x, (3, 1, 1), stride=1, padding=(1, 0, 0))


def max_pooling(x):
  """Strided temporal pooling by the maximum: N C T H W."""
  return functional.max_pool3d(x, (3, 1, 1), stride=1, padding=(1, 0, 0))


def adaptive_convolution(
  x, kernel, calibration, *, axis, groups=1, padding=1, stride=1
):
  """TAdaConv: N C T H W, kernel (O, I / groups, k, k), calibration N C T.

  Every frame gets a kernel of its own and is a group of one convolution.
  """
  batch, _, frames, height, width = x.shape
  alpha = calibration.permute(0, 2, 1)
  if axis == "in":
    kernels = alpha[:, :, None, :, None, None] * kernel
  else:
    kernels = alpha[:, :, :, None, None, None] * kernel
  folded = x.permute(0, 2, 1, 3, 4).reshape(1, -1, height, width)
  out = functional.conv2d(
    folded,
    kernels.reshape(-1, *kernel.shape[1:]),
    stride=stride,
    padding=padding,
    groups=groups * batch * frames,
  )
  out = out.view(batch, frames, kernel.shape[0], *out.shape[2:])
  return out.permute(0, 2, 1, 3, 4)


def adaptive_convolution_3d(x, kernel, calibration):
  """TAdaConv3d: N C T H W, kernel (O, I, 3, 3, 3), calibration N C T."""
  batch, _, frames, height, width = x.shape
  alpha = calibration.permute(0, 2, 1)
  kernels = alpha[:, :, None, :, None, None, None] * kernel
  around = functional.pad(x, (0, 0, 0, 0, 1, 1)).unfold(2, 3, 1)  # N C T H W 3
  folded = around.permute(0, 2, 1, 5, 3, 4).reshape(1, -1, 3, height, width)
  out = functional.conv3d(
    folded,
    kernels.reshape(-1, *kernel.shape[1:]),
    padding=(0, 1, 1),
    groups=batch * frames,
  )
  out = out.view(batch, frames, kernel.shape[0], height, width)
  return out.permute(0, 2, 1, 3, 4)


def route_mlp(x, w):
  """TAdaConv's first route function: N C T H W."""
  frames = functional.adaptive_avg_pool3d(x, (None, 1, 1))
  clip = functional.adaptive_avg_pool3d(x, 1)
  frames = frames + functional.conv3d(clip, w["context"], w["context_bias"])
  padding = (1, 0, 0)
  hidden = functional.conv3d(frames, w["reduce"], w["reduce_bias"], 1, padding)
  hidden = primitives.batch_norm(hidden, w["scale"], w["bias"]).relu()
  out = functional.conv3d(hidden, w["expand"], None, 1, padding)
  return (out + 1)[..., 0, 0]


class Route(nn.Module):
  """TAdaConv's route function: N C T H W -> N C T."""

  def __init__(self, channels):
    super().__init__()
    hidden, padding = channels // 4, (1, 0, 0)
    self.g = nn.Conv3d(channels, channels, 1)
    self.a = nn.Conv3d(channels, hidden, (3, 1, 1), padding=padding)
    self.bn = nn.BatchNorm3d(hidden)
    self.b = nn.Conv3d(hidden, channels, (3, 1, 1), padding=padding, bias=False)

  def forward(self, x):
    frames = functional.adaptive_avg_pool3d(x, (None, 1, 1))
    frames = frames + self.g(functional.adaptive_avg_pool3d(x, 1))
    return (self.b(self.bn(self.a(frames)).relu()) + 1)[..., 0, 0]


class AdaptiveWeight(nn.Module):
  """The base kernel of a TAdaConv."""

  def __init__(self, channels):
    super().__init__()
    self.weight = nn.Parameter(0.02 * torch.randn(1, 1, channels, channels, 3, 3))
