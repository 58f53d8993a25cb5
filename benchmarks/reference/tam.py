"""TAM in torch: the aggregation, and bLVNet-TAM-50 with 400 classes.

Transcribed with the names of the published weights of IBM/bLVNet-TAM; frames
are folded into the batch, clips are N T C H W.
"""

import torch
from torch import nn
from torch.nn import functional

from benchmarks.reference import primitives

_STAGES = ((256, 3, 2), (512, 4, 2), (1024, 6, 1))


def temporal_aggregation(x, kernel, frames):
  """TAM: (N T) C H W and taps (3, C)."""
  channels = x.shape[1]
  parts = [
    functional.conv2d(x, weight.view(-1, 1, 1, 1), groups=channels).view(
      -1, frames, *x.shape[1:]
    )
    for weight in kernel
  ]
  before = functional.pad(parts[0], (0, 0, 0, 0, 0, 0, 1, 0))[:, :-1]
  after = functional.pad(parts[2], (0, 0, 0, 0, 0, 0, 0, 1))[:, 1:]
  return torch.stack([before, parts[1], after]).sum(0).relu().flatten(0, 1)


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
    return temporal_aggregation(x, taps, frames)


class _Bottleneck(nn.Module):
  """A shortcut with convolution starts after the aggregation: (N T) C H W."""

  def __init__(self, channels, features, stride=1, final_relu=True, aggregates=False):
    super().__init__()
    self.final_relu = final_relu
    self.tam = Aggregation(channels) if aggregates else None
    primitives.add_bottleneck(self, channels, features // 4, features, stride)
    parts = [nn.AvgPool2d(3, stride, 1)] if stride > 1 else []
    if channels != features:
      parts.append(nn.Conv2d(channels, features, 1, bias=False))
      parts.append(nn.BatchNorm2d(features))
    self.downsample = nn.Sequential(*parts)

  def forward(self, x, frames):
    start = x if self.tam is None else self.tam(x, frames)
    y = functional.relu(self.bn1(self.conv1(start)), inplace=True)
    y = functional.relu(self.bn2(self.conv2(y)), inplace=True)
    if len(self.downsample):
      x = self.downsample(start)
    y = self.bn3(self.conv3(y)) + x
    return functional.relu(y, inplace=True) if self.final_relu else y


class _Module(nn.Module):
  """A big-little module: (N T) C H W."""

  def __init__(self, channels, features, count, stride):
    super().__init__()
    self.tam = Aggregation(channels)
    self.big = nn.ModuleList(
      _Bottleneck(
        channels if i == 0 else features,
        features,
        2 if i == 0 else 1,
        final_relu=i < count - 2,
      )
      for i in range(count - 1)
    )
    narrow = features // 2
    self.little = nn.ModuleList(
      _Bottleneck(channels if i == 0 else narrow, narrow)
      for i in range(max(1, count // 4 - 1))
    )
    self.little_e = nn.Sequential(
      nn.Conv2d(narrow, features, 1, bias=False), nn.BatchNorm2d(features)
    )
    self.fusion = nn.ModuleList([_Bottleneck(features, features, stride)])

  def forward(self, x, frames):
    big, little = _part(self.tam(x, frames), frames)
    for block in self.big:
      big = block(big, frames)
    for block in self.little:
      little = block(little, frames)
    little = self.little_e(little)
    big = functional.interpolate(big, size=little.shape[2:])
    x = functional.relu(big + little, inplace=True)
    return self.fusion[0](x, frames).repeat_interleave(2, 0)


class BigLittle50(nn.Module):
  """bLVNet-TAM of 50 layers: N T C H W."""

  def __init__(self):
    super().__init__()
    self.baseline_model = base = nn.Module()
    for conv, norm, channels, features, size, stride in (
      ("conv1", "bn1", 3, 64, 7, 2),
      ("b_conv0", "bn_b0", 64, 64, 3, 2),
      ("l_conv0", "bn_l0", 64, 32, 3, 1),
      ("l_conv1", "bn_l1", 32, 32, 3, 2),
      ("l_conv2", "bn_l2", 32, 64, 1, 1),
      ("bl_init", "bn_bl_init", 64, 64, 1, 1),
    ):
      layer = nn.Conv2d(channels, features, size, stride, size // 2, bias=False)
      base.add_module(conv, layer)
      base.add_module(norm, nn.BatchNorm2d(features))
    base.tam = Aggregation(64)
    channels = 64
    for stage, (features, count, stride) in enumerate(_STAGES, 1):
      module = _Module(channels, features, count, stride)
      base.add_module(f"layer{stage}", module)
      channels = features
    base.layer4 = nn.ModuleList(
      _Bottleneck(*sizes, aggregates=True)
      for sizes in ((1024, 2048, 2), (2048, 2048), (2048, 2048))
    )
    self.new_fc = nn.Linear(2048, 400)

  def forward(self, clip):
    """Returns logits, averaged over the frames."""
    base, frames = self.baseline_model, clip.shape[1]
    x = base.bn1(base.conv1(clip.flatten(0, 1))).relu()
    big, little = _part(base.tam(x, frames), frames)
    big = base.bn_b0(base.b_conv0(big))
    little = base.bn_l0(base.l_conv0(little)).relu()
    little = base.bn_l1(base.l_conv1(little)).relu()
    little = base.bn_l2(base.l_conv2(little))
    x = (big + little).relu()
    x = base.bn_bl_init(base.bl_init(x)).relu().repeat_interleave(2, 0)
    for stage in (1, 2, 3):
      x = getattr(base, f"layer{stage}")(x, frames)
    x, _ = _part(x, frames)
    for block in base.layer4:
      x = block(x, frames // 2)
    logits = self.new_fc(x.mean((2, 3)))
    return logits.unflatten(0, (-1, frames // 2)).mean(1)


def _part(x, frames):
  """Returns odd and even frames of (N T) C H W."""
  x = x.unflatten(0, (-1, frames))
  return x[:, 1::2].flatten(0, 1), x[:, 0::2].flatten(0, 1)
