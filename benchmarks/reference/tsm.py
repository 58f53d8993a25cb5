"""ResNets as their authors' torch code computes them: TSM, TAM and 3D ones.

Transcribed under the names of the published weights, so that `convert_weights`
fits. Frames are folded into the batch of two-dimensional convolutions; those of
TAda's repository are all over N C T H W.
"""

import torch
from torch import nn
from torch.nn import functional

from benchmarks.reference import operators as torch_forms

_STAGES = (3, 4, 6, 3)


class Aggregation(nn.Module):
  """TAM under the names of IBM/bLVNet-TAM."""

  def __init__(self, channels):
    super().__init__()
    for name in ("prev", "curr", "next"):
      weight = nn.Conv2d(channels, channels, 1, groups=channels, bias=False)
      self.add_module(name, weight)

  def forward(self, x, frames):
    """(N T) C H W."""
    taps = [self.prev.weight, self.curr.weight, self.next.weight]
    return torch_forms.temporal_aggregation(x, taps, frames)


class _Bottleneck(nn.Module):
  """torchvision's, with a temporal operator at the start of its branch."""

  def __init__(self, channels, width, stride, aggregates):
    super().__init__()
    self.tam = Aggregation(channels) if aggregates else None
    for i, (inputs, features, size) in enumerate(
      ((channels, width, 1), (width, width, 3), (width, 4 * width, 1)), 1
    ):
      step = stride if i == 2 else 1
      conv = nn.Conv2d(inputs, features, size, step, size // 2, bias=False)
      self.add_module(f"conv{i}", conv)
      self.add_module(f"bn{i}", nn.BatchNorm2d(features))
    self.downsample = None
    if channels != 4 * width:
      self.downsample = nn.Sequential(
        nn.Conv2d(channels, 4 * width, 1, stride, bias=False),
        nn.BatchNorm2d(4 * width),
      )

  def forward(self, x, frames):
    """(N T) C H W."""
    if self.tam is None:
      y = torch_forms.temporal_shift(x, frames)
    else:
      y = self.tam(x, frames)
    y = functional.relu(self.bn1(self.conv1(y)), inplace=True)
    y = functional.relu(self.bn2(self.conv2(y)), inplace=True)
    y = self.bn3(self.conv3(y))
    x = x if self.downsample is None else self.downsample(x)
    return functional.relu(y + x, inplace=True)


class FrameResNet50(nn.Module):
  """TSM's, or TAM's, ResNet-50: N T C H W."""

  def __init__(self, aggregates=False):
    super().__init__()
    self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
    self.bn1 = nn.BatchNorm2d(64)
    channels = 64
    for stage, count in enumerate(_STAGES):
      width, blocks = 64 * 2**stage, []
      for index in range(count):
        stride = 2 if stage and not index else 1
        blocks.append(_Bottleneck(channels, width, stride, aggregates))
        channels = 4 * width
      self.add_module(f"layer{stage + 1}", nn.ModuleList(blocks))
    self.fc = nn.Linear(channels, 400)

  def forward(self, clip):
    """Returns logits, averaged over the frames."""
    frames = clip.shape[1]
    x = functional.relu(self.bn1(self.conv1(clip.flatten(0, 1))), inplace=True)
    x = functional.max_pool2d(x, 3, 2, 1)
    for stage in range(1, 5):
      for block in getattr(self, f"layer{stage}"):
        x = block(x, frames)
    return self.fc(x.mean((2, 3))).unflatten(0, (-1, frames)).mean(1)


class _Route(nn.Module):
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


class _AdaptiveWeight(nn.Module):
  """The base kernel of a TAdaConv."""

  def __init__(self, channels):
    super().__init__()
    self.weight = nn.Parameter(0.02 * torch.randn(1, 1, channels, channels, 3, 3))


class _Branch(nn.Module):
  """A bottleneck's branch: N C T H W.

  Its 3 x 3 convolution is over frames alone, over space and then time
  (R(2+1)D), or a TAdaConv with temporal pooling beside its norm.
  """

  def __init__(self, channels, width, stride, time_stride, kind, first_taps):
    super().__init__()
    self.kind = kind
    self.stride = stride
    convolve(self, "a", channels, width, (first_taps, 1))
    if kind == "adaptive":
      self.b, self.b_rf = _AdaptiveWeight(width), _Route(width)
      self.b_bn = nn.BatchNorm3d(width)
      self.b_avgpool_bn = nn.BatchNorm3d(width)
    elif kind == "factorised":
      convolve(self, "b1", width, width, (1, 3), (1, stride))
      convolve(self, "b2", width, width, (3, 1), (time_stride, 1))
    else:
      convolve(self, "b", width, width, (1, 3), (1, stride))
    convolve(self, "c", width, 4 * width, (1, 1))

  def forward(self, x):
    x = apply(self, "a", x)
    if self.kind == "adaptive":
      kernel = self.b.weight[0, 0]
      x = torch_forms.adaptive_convolution(
        x, kernel, self.b_rf(x), "in", 1, 1, self.stride
      )
      pooled = self.b_avgpool_bn(torch_forms.average_pooling(x))
      x = functional.relu(self.b_bn(x) + pooled, inplace=True)
    elif self.kind == "factorised":
      x = apply(self, "b2", apply(self, "b1", x))
    else:
      x = apply(self, "b", x)
    return self.c_bn(self.c(x))


class Block3D(nn.Module):
  """A bottleneck of TAda's repository: N C T H W."""

  def __init__(
    self, channels, width, stride, time_stride=1, kind="frames", first_taps=1
  ):
    super().__init__()
    self.conv_branch = _Branch(channels, width, stride, time_stride, kind, first_taps)
    self.changes = stride > 1 or channels != 4 * width
    if self.changes:
      strides = (time_stride, stride)
      convolve(self, "short_cut", channels, 4 * width, (1, 1), strides)

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
  """Applies what `convolve` added, and ReLU."""
  x = getattr(module, name)(x)
  return functional.relu(getattr(module, f"{name}_bn")(x), inplace=True)
