"""TSM in torch: the shift, and the ResNet-50 of TSM or TAM.

Transcribed with the names of the published weights of
mit-han-lab/temporal-shift-module; frames are folded into the batch.
"""

import torch
from torch import nn
from torch.nn import functional

from benchmarks.reference import primitives
from benchmarks.reference.tam import Aggregation

_STAGES = (3, 4, 6, 3)


def temporal_shift(x, frames, fold_div=8):
  """TSM: (N T) C H W."""
  folded = x.view(-1, frames, *x.shape[1:])
  fold = x.shape[1] // fold_div
  out = torch.zeros_like(folded)
  out[:, :-1, :fold] = folded[:, 1:, :fold]
  out[:, 1:, fold : 2 * fold] = folded[:, :-1, fold : 2 * fold]
  out[:, :, 2 * fold :] = folded[:, :, 2 * fold :]
  return out.view_as(x)


class _Bottleneck(nn.Module):
  """torchvision's, with a temporal operator at the start of its branch."""

  def __init__(self, channels, width, stride, aggregates):
    super().__init__()
    self.tam = Aggregation(channels) if aggregates else None
    primitives.add_bottleneck(self, channels, width, 4 * width, stride)
    self.downsample = None
    if channels != 4 * width:
      self.downsample = nn.Sequential(
        nn.Conv2d(channels, 4 * width, 1, stride, bias=False),
        nn.BatchNorm2d(4 * width),
      )

  def forward(self, x, frames):
    """(N T) C H W."""
    y = temporal_shift(x, frames) if self.tam is None else self.tam(x, frames)
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
