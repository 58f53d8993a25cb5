"""Video ResNets of torchvision and PySlowFast, with the names of their tensors.

Written from the libraries' code, as small as a test wants them: bottlenecks of
`WIDTH` channels in the first stage, or basic blocks. Clips are N C T H W.
"""

import torch
from torch import nn
from torch.nn import functional

CLASSES = 5
WIDTH = 8
DEPTHS = (2, 1, 1, 1)
BETA = 2  # Channels of the slow pathway for one of the fast.


def conv3d(channels, features, taps, side, strides=(1, 1)):
  """A convolution without bias; `strides` are time's and space's."""
  return nn.Conv3d(
    channels,
    features,
    (taps, side, side),
    (strides[0], strides[1], strides[1]),
    (taps // 2, side // 2, side // 2),
    bias=False,
  )


def max_pool(x):
  return functional.max_pool3d(x, (1, 3, 3), (1, 2, 2), (0, 1, 1))


def slow_frames(clip, alpha):
  """Frames from the first to the last, as PySlowFast takes them."""
  frames = clip.shape[2]
  return clip[:, :, torch.linspace(0, frames - 1, frames // alpha).long()]


def stages(make_block, channels, width, expansion, more=lambda channels: 0):
  """Yields the blocks of each stage.

  Args:
    make_block: (channels, width, is_first, stage) -> block.
    channels: Channels of the stem.
    width: Width of the first stage.
    expansion: Output channels for one of the width.
    more: Channels -> those that join them in front of a stage.
  """
  for stage, depth in enumerate(DEPTHS):
    blocks = []
    for place in range(depth):
      joined = more(channels) if place == 0 else 0
      blocks.append(make_block(channels + joined, width, place == 0, stage))
      channels = expansion * width
    yield blocks
    width *= 2


class Residual(nn.Module):
  """ReLU of the sum of a branch and of a shortcut."""

  def add(self, x):
    shortcut = self.shortcut(x)
    return functional.relu(self.branch(x) + shortcut)


# pytorch/vision.


class _Parts(nn.Sequential):
  """Over space, then along time."""

  def __init__(self, channels, features, middle, stride):
    super().__init__(
      conv3d(channels, middle, 1, 3, (1, stride)),
      nn.BatchNorm3d(middle),
      nn.ReLU(),
      conv3d(middle, features, 3, 1, (stride, 1)),
    )


class _TorchvisionBlock(Residual):
  def __init__(self, channels, width, stride, kind):
    super().__init__()
    middle = channels * width * 27 // (channels * 9 + 3 * width)
    over_time = stride if kind != "frames" else 1

    def convolve(inputs, stride):
      if kind == "parts":
        return _Parts(inputs, width, middle, stride)
      taps = 3 if kind == "whole" else 1
      return conv3d(inputs, width, taps, 3, (stride if taps > 1 else 1, stride))

    first, second = convolve(channels, stride), convolve(width, 1)
    self.conv1 = nn.Sequential(first, nn.BatchNorm3d(width), nn.ReLU())
    self.conv2 = nn.Sequential(second, nn.BatchNorm3d(width))
    self.downsample = None
    if stride > 1:
      self.downsample = nn.Sequential(
        conv3d(channels, width, 1, 1, (over_time, stride)),
        nn.BatchNorm3d(width),
      )

  def branch(self, x):
    return self.conv2(self.conv1(x))

  def shortcut(self, x):
    return x if self.downsample is None else self.downsample(x)

  def forward(self, x):
    return self.add(x)


class TorchvisionVideo(nn.Module):
  """Stages are of "parts" (R(2+1)D), "whole" (R3D) or of "frames" (MC3)."""

  def __init__(self, *kinds):
    super().__init__()
    stem = [conv3d(3, WIDTH, 3, 7, (1, 2))]
    if kinds[0] == "parts":
      stem = [conv3d(3, 45, 1, 7, (1, 2)), nn.BatchNorm3d(45), nn.ReLU()]
      stem.append(conv3d(45, WIDTH, 3, 1))
    self.stem = nn.Sequential(*stem, nn.BatchNorm3d(WIDTH), nn.ReLU())

    def block(channels, width, is_first, stage):
      stride = 2 if is_first and stage else 1
      return _TorchvisionBlock(channels, width, stride, kinds[stage])

    for place, blocks in enumerate(stages(block, WIDTH, WIDTH, 1)):
      self.add_module(f"layer{place + 1}", nn.Sequential(*blocks))
    self.fc = nn.Linear(8 * WIDTH, CLASSES)

  def forward(self, clip):
    x = self.stem(clip)
    for stage in range(1, 5):
      x = getattr(self, f"layer{stage}")(x)
    return self.fc(x.mean((2, 3, 4)))


# facebookresearch/SlowFast.


class _LettersBlock(Residual):
  """PySlowFast's bottleneck."""

  def __init__(self, channels, width, stride, first_taps):
    super().__init__()
    self.branch2 = branch = nn.Module()
    branch.a, branch.a_bn = (
      conv3d(channels, width, first_taps, 1),
      nn.BatchNorm3d(width),
    )
    branch.b = conv3d(width, width, 1, 3, (1, stride))
    branch.b_bn = nn.BatchNorm3d(width)
    branch.c, branch.c_bn = (
      conv3d(width, 4 * width, 1, 1),
      nn.BatchNorm3d(4 * width),
    )
    self.changes = stride > 1 or channels != 4 * width
    if self.changes:
      self.branch1 = conv3d(channels, 4 * width, 1, 1, (1, stride))
      self.branch1_bn = nn.BatchNorm3d(4 * width)

  def branch(self, x):
    branch = self.branch2
    x = functional.relu(branch.a_bn(branch.a(x)))
    x = functional.relu(branch.b_bn(branch.b(x)))
    return branch.c_bn(branch.c(x))

  def shortcut(self, x):
    return self.branch1_bn(self.branch1(x)) if self.changes else x

  def forward(self, x):
    return self.add(x)


SLOW_TAPS = (1, 1, 3, 3)


class PySlowFast(nn.Module):
  """Slow, or SlowFast if `alpha` is given."""

  def __init__(self, alpha=None, lateral_taps=5):
    super().__init__()
    self.alpha = alpha
    pathways = [(WIDTH, 1, SLOW_TAPS)]
    if alpha:
      pathways.append((WIDTH // BETA, 5, (3, 3, 3, 3)))
    self.s1 = nn.Module()
    for number, (width, taps, first_taps) in enumerate(pathways):
      stem = nn.Module()
      stem.conv, stem.bn = conv3d(3, width, taps, 7, (1, 2)), nn.BatchNorm3d(width)
      self.s1.add_module(f"pathway{number}_stem", stem)

      def block(channels, width, is_first, stage, first_taps=first_taps):
        stride = 2 if is_first and stage else 1
        return _LettersBlock(channels, width, stride, first_taps[stage])

      joins = alpha and number == 0
      more = (lambda channels: 2 * channels // BETA) if joins else lambda channels: 0
      for stage, blocks in enumerate(stages(block, width, width, 4, more)):
        name = f"s{stage + 2}"
        module = getattr(self, name, None) or nn.Module()
        self.add_module(name, module)
        for place, made in enumerate(blocks):
          module.add_module(f"pathway{number}_res{place}", made)
    for stage in range(4 if alpha else 0):
      channels = WIDTH // BETA * (1, 4, 8, 16)[stage]
      fuse = nn.Module()
      fuse.conv_f2s = conv3d(channels, 2 * channels, lateral_taps, 1, (alpha, 1))
      fuse.bn = nn.BatchNorm3d(2 * channels)
      self.add_module(f"s{stage + 1}_fuse", fuse)
    self.head = nn.Module()
    features = 32 * WIDTH + (32 * WIDTH // BETA if alpha else 0)
    self.head.projection = nn.Linear(features, CLASSES)

  def forward(self, clip):
    """Returns logits; the library adds a softmax in tests."""
    pathways = [slow_frames(clip, self.alpha), clip] if self.alpha else [clip]
    for number, x in enumerate(pathways):
      stem = getattr(self.s1, f"pathway{number}_stem")
      pathways[number] = max_pool(functional.relu(stem.bn(stem.conv(x))))
    for stage in range(2, 6):
      if self.alpha:
        fuse = getattr(self, f"s{stage - 1}_fuse")
        message = functional.relu(fuse.bn(fuse.conv_f2s(pathways[1])))
        pathways[0] = torch.cat([pathways[0], message], 1)
      for number, x in enumerate(pathways):
        for name, block in getattr(self, f"s{stage}").named_children():
          if name.startswith(f"pathway{number}"):
            x = block(x)
        pathways[number] = x
    features = torch.cat([x.mean((2, 3, 4)) for x in pathways], 1)
    return self.head.projection(features)
