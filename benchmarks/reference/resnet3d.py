"""Video ResNets of TAda's repository in torch.

TAda2D, SlowOnly, R(2+1)D and SlowFast of 50 layers and 400 classes, with the
names of the published weights; clips N C T H W.
"""

import torch
from torch import nn
from torch.nn import functional

from benchmarks.reference import tada

_STAGES = (3, 4, 6, 3)
_WIDTHS = (64, 128, 256, 512)


class _Branch(nn.Module):
  """A bottleneck's branch: N C T H W.

  Its 3 x 3 convolution is within frames, or over space and then time
  (R(2+1)D), or a TAdaConv with temporal pooling next to its norm.
  """

  def __init__(self, channels, width, stride, kind, first_taps):
    super().__init__()
    self.kind = kind
    self.stride = stride
    convolve(self, "a", channels, width, (first_taps, 1))
    if kind == "adaptive":
      self.b, self.b_rf = tada.AdaptiveWeight(width), tada.Route(width)
      self.b_bn = nn.BatchNorm3d(width)
      self.b_avgpool_bn = nn.BatchNorm3d(width)
    elif kind == "factorised":
      convolve(self, "b1", width, width, (1, 3), (1, stride))
      convolve(self, "b2", width, width, (3, 1))
    else:
      convolve(self, "b", width, width, (1, 3), (1, stride))
    convolve(self, "c", width, 4 * width, (1, 1))

  def forward(self, x):
    x = apply(self, "a", x)
    if self.kind == "adaptive":
      kernel = self.b.weight[0, 0]
      x = tada.adaptive_convolution(
        x, kernel, self.b_rf(x), axis="in", stride=self.stride
      )
      pooled = self.b_avgpool_bn(tada.average_pooling(x))
      x = functional.relu(self.b_bn(x) + pooled, inplace=True)
    elif self.kind == "factorised":
      x = apply(self, "b2", apply(self, "b1", x))
    else:
      x = apply(self, "b", x)
    return self.c_bn(self.c(x))


class Block3D(nn.Module):
  """A bottleneck of TAda's repository: N C T H W."""

  def __init__(self, channels, width, stride, kind="frames", first_taps=1):
    super().__init__()
    self.conv_branch = _Branch(channels, width, stride, kind, first_taps)
    self.changes = stride > 1 or channels != 4 * width
    if self.changes:
      convolve(self, "short_cut", channels, 4 * width, (1, 1), (1, stride))

  def forward(self, x):
    """N C T H W."""
    y = self.conv_branch(x)
    if self.changes:
      x = self.short_cut_bn(self.short_cut(x))
    return functional.relu(x + y, inplace=True)


def convolve(module, name, channels, features, sizes, strides=(1, 1)):
  """Adds a convolution and its norm; sizes and strides are time, space."""
  taps, side = sizes
  conv = nn.Conv3d(
    channels,
    features,
    (taps, side, side),
    (strides[0], strides[1], strides[1]),
    (taps // 2, side // 2, side // 2),
    bias=False,
  )
  module.add_module(name, conv)
  module.add_module(f"{name}_bn", nn.BatchNorm3d(features))


def apply(module, name, x):
  """Applies a convolution that `convolve` added, its norm and ReLU."""
  x = getattr(module, name)(x)
  return functional.relu(getattr(module, f"{name}_bn")(x), inplace=True)


class _Head(nn.Module):
  """The classifier after the average over time and space."""

  def __init__(self, channels):
    super().__init__()
    self.out = nn.Linear(channels, 400)


class ResNet3D50(nn.Module):
  """One pathway: N C T H W.

  The `kind` of the blocks is "adaptive" (TAda2D), "factorised" (R(2+1)D) or
  "frames" (SlowOnly).
  """

  def __init__(self, kind, *, first_taps=(1, 1, 1, 1), pool=False):
    super().__init__()
    self.pool = pool
    self.backbone = nn.Module()
    self.backbone.conv1 = _stem(64, 1)
    strides = (1, 2, 2, 2) if kind == "frames" else (2, 2, 2, 2)
    channels = 64
    for stage, width in enumerate(_WIDTHS):
      blocks = stage_of(
        channels,
        width,
        _STAGES[stage],
        strides[stage],
        kind=kind,
        first_taps=first_taps[stage],
      )
      self.backbone.add_module(f"conv{stage + 2}", blocks)
      channels = 4 * width
    self.head = _Head(channels)

  def forward(self, clip):
    """Returns logits."""
    x = _apply_stem(self.backbone.conv1, clip, self.pool)
    for stage in range(2, 6):
      x = run(getattr(self.backbone, f"conv{stage}"), x)
    return self.head.out(x.mean((2, 3, 4)))


class SlowFast50(nn.Module):
  """SlowFast 4x16, or 8x8 of other numbers: N C T H W."""

  def __init__(self, alpha=8, lateral_taps=5):
    super().__init__()
    self.alpha = alpha
    self.backbone = backbone = nn.Module()
    backbone.slow_conv1, backbone.fast_conv1 = _stem(64, 1), _stem(8, 5)
    slow, fast = 64, 8
    for stage, width in enumerate(_WIDTHS):
      lateral = nn.Module()
      lateral.conv_fast_to_slow = nn.Conv3d(
        fast,
        2 * fast,
        (lateral_taps, 1, 1),
        (alpha, 1, 1),
        (lateral_taps // 2, 0, 0),
        bias=False,
      )
      lateral.bn = nn.BatchNorm3d(2 * fast)
      backbone.add_module(f"slowfast_fusion{stage + 1}", lateral)
      count, stride = _STAGES[stage], 2 if stage else 1
      backbone.add_module(
        f"slow_conv{stage + 2}",
        stage_of(
          slow + 2 * fast,
          width,
          count,
          stride,
          first_taps=1 if stage < 2 else 3,
        ),
      )
      backbone.add_module(
        f"fast_conv{stage + 2}",
        stage_of(fast, width // 8, count, stride, first_taps=3),
      )
      slow, fast = 4 * width, width // 2
    self.head = _Head(slow + fast)

  def forward(self, clip):
    """Returns logits."""
    slow = _apply_stem(self.backbone.slow_conv1, clip[:, :, :: self.alpha], True)
    fast = _apply_stem(self.backbone.fast_conv1, clip, True)
    for stage in range(1, 5):
      lateral = getattr(self.backbone, f"slowfast_fusion{stage}")
      message = lateral.bn(lateral.conv_fast_to_slow(fast)).relu()
      slow = torch.cat([slow, message], 1)
      slow = run(getattr(self.backbone, f"slow_conv{stage + 1}"), slow)
      fast = run(getattr(self.backbone, f"fast_conv{stage + 1}"), fast)
    features = [x.mean((2, 3, 4)) for x in (slow, fast)]
    return self.head.out(torch.cat(features, 1))


def _stem(width, taps):
  """A 7 x 7 convolution over some frames."""
  stem = nn.Module()
  convolve(stem, "a", 3, width, (taps, 7), (1, 2))
  return stem


def _apply_stem(stem, x, pool):
  x = apply(stem, "a", x)
  if pool:
    x = functional.max_pool3d(x, (1, 3, 3), (1, 2, 2), (0, 1, 1))
  return x


def stage_of(channels, width, count, stride, **settings):
  """Returns blocks named "res_1" and so on; the first one strides."""
  stage = nn.Module()
  for index in range(count):
    block = Block3D(channels, width, stride if index == 0 else 1, **settings)
    stage.add_module(f"res_{index + 1}", block)
    channels = 4 * width
  return stage


def run(stage, x):
  """Runs the blocks of a stage."""
  for block in stage.children():
    x = block(x)
  return x
