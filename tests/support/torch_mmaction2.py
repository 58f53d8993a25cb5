"""TSN, TSM, SlowOnly, SlowFast and R(2+1)D of mmaction2, and TSM's release.

Written from the code of open-mmlab/mmaction2 and of
mit-han-lab/temporal-shift-module, with the names of their tensors; sizes as in
`torch_video_resnets`.
"""

import torch
from torch import nn
from torch.nn import functional

from tests.support.torch_video_resnets import (
  BETA,
  CLASSES,
  DEPTHS,
  SLOW_TAPS,
  WIDTH,
  Residual,
  conv3d,
  max_pool,
  stages,
)


class Shift(nn.Module):
  """TSM's shift in front of a convolution: (N T) C H W."""

  def __init__(self, net, frames, division=8):
    super().__init__()
    self.net, self.frames, self.division = net, frames, division

  def forward(self, x):
    clip = x.unflatten(0, (-1, self.frames))
    fold = x.shape[1] // self.division
    padded = functional.pad(clip, (0, 0, 0, 0, 0, 0, 1, 1))
    later, earlier = padded[:, 2:, :fold], padded[:, :-2, fold : 2 * fold]
    shifted = torch.cat([later, earlier, clip[:, :, 2 * fold :]], 2)
    return self.net(shifted.flatten(0, 1))


class _Parts(nn.Module):
  """Over space, then along time."""

  def __init__(self, channels, features, taps, side, strides):
    super().__init__()
    in_space, in_time = side**2 * channels, 3 * features
    middle = in_space * in_time // (in_space + in_time)
    self.conv_s = conv3d(channels, middle, 1, side, (1, strides[1]))
    self.bn_s = nn.BatchNorm3d(middle)
    self.conv_t = conv3d(middle, features, taps, 1, (strides[0], 1))

  def forward(self, x):
    return self.conv_t(functional.relu(self.bn_s(self.conv_s(x))))


class _Layer(nn.Module):
  """A convolution, its norm and ReLU."""

  def __init__(self, conv, norm=None, relu=True):
    super().__init__()
    self.conv, self.relu = conv, relu
    if norm is not None:
      self.bn = norm

  def forward(self, x):
    x = self.bn(self.conv(x)) if hasattr(self, "bn") else self.conv(x)
    return functional.relu(x) if self.relu else x


class _Block(Residual):
  """Layers of which the last has no ReLU, and the shortcut's or None."""

  def __init__(self, layers, downsample):
    super().__init__()
    for place, layer in enumerate(layers):
      self.add_module(f"conv{place + 1}", layer)
    self.count = len(layers)
    self.downsample = downsample

  def branch(self, x):
    for place in range(self.count):
      x = getattr(self, f"conv{place + 1}")(x)
    return x

  def shortcut(self, x):
    return x if self.downsample is None else self.downsample(x)

  def forward(self, x):
    return self.add(x)


class _Backbone(nn.Module):
  """A stem and its stages, and what joins a slow pathway."""

  def __init__(self, stem, blocks, pool=max_pool):
    super().__init__()
    self.conv1, self.pool = stem, pool
    for stage, made in enumerate(blocks):
      self.add_module(f"layer{stage + 1}", nn.Sequential(*made))

  def forward(self, x):
    x = self.pool(self.conv1(x))
    for stage in range(1, 5):
      x = getattr(self, f"layer{stage}")(x)
    return x


class _Recognizer(nn.Module):
  def __init__(self, backbone, features):
    super().__init__()
    self.backbone = backbone
    self.cls_head = nn.Module()
    self.cls_head.fc_cls = nn.Linear(features, CLASSES)

  def forward(self, clip):
    x = self.backbone(clip)
    return self.cls_head.fc_cls(x.mean((2, 3, 4)))


def _pathway(width, taps, first_taps, more=lambda channels: 0):
  """A ResNet whose bottlenecks span frames in their first convolution."""

  def block(channels, width, is_first, stage):
    stride = 2 if is_first and stage else 1
    features = 4 * width
    layers = (
      _Layer(conv3d(channels, width, first_taps[stage], 1), nn.BatchNorm3d(width)),
      _Layer(conv3d(width, width, 1, 3, (1, stride)), nn.BatchNorm3d(width)),
      _Layer(conv3d(width, features, 1, 1), nn.BatchNorm3d(features), relu=False),
    )
    shortcut = None
    if is_first:
      conv = conv3d(channels, features, 1, 1, (1, stride))
      shortcut = _Layer(conv, nn.BatchNorm3d(features), relu=False)
    return _Block(layers, shortcut)

  stem = _Layer(conv3d(3, width, taps, 7, (1, 2)), nn.BatchNorm3d(width))
  return _Backbone(stem, stages(block, width, width, 4, more))


def slow_only():
  return _Recognizer(_pathway(WIDTH, 1, SLOW_TAPS), 32 * WIDTH)


class SlowFast(nn.Module):
  """Its lateral convolutions mostly have no norms; its head sees fast first."""

  def __init__(self, alpha=8, lateral_taps=5, *, norm=False):
    super().__init__()
    self.alpha = alpha
    self.backbone = nn.Module()
    slow = _pathway(WIDTH, 1, SLOW_TAPS, lambda channels: 2 * channels // BETA)
    self.backbone.slow_path = slow
    self.backbone.fast_path = _pathway(WIDTH // BETA, 5, (3, 3, 3, 3))
    for stage in range(4):
      channels = WIDTH // BETA * (1, 4, 8, 16)[stage]
      conv = conv3d(channels, 2 * channels, lateral_taps, 1, (alpha, 1))
      lateral = _Layer(conv, nn.BatchNorm3d(2 * channels) if norm else None, norm)
      slow.add_module(f"{self._before(stage)}_lateral", lateral)
    self.cls_head = nn.Module()
    features = 32 * WIDTH + 32 * WIDTH // BETA
    self.cls_head.fc_cls = nn.Linear(features, CLASSES)

  def _before(self, stage):
    return f"layer{stage}" if stage else "conv1"

  def forward(self, clip):
    pathways = self.backbone.slow_path, self.backbone.fast_path
    slow, fast = clip[:, :, :: self.alpha], clip
    slow, fast = (
      pathway.pool(pathway.conv1(x))
      for pathway, x in zip(pathways, (slow, fast), strict=True)
    )
    for stage in range(4):
      lateral = getattr(pathways[0], f"{self._before(stage)}_lateral")
      slow = torch.cat([slow, lateral(fast)], 1)
      slow = getattr(pathways[0], f"layer{stage + 1}")(slow)
      fast = getattr(pathways[1], f"layer{stage + 1}")(fast)
    features = torch.cat([x.mean((2, 3, 4)) for x in (fast, slow)], 1)
    return self.cls_head.fc_cls(features)


def r2plus1d():
  """R(2+1)D of basic blocks; shortcuts have two parts too."""

  def norm(features):
    return nn.BatchNorm3d(features, eps=1e-3)

  def block(channels, width, is_first, stage):
    stride = 2 if is_first and stage else 1
    layers = (
      _Layer(_Parts(channels, width, 3, 3, (stride, stride)), norm(width)),
      _Layer(_Parts(width, width, 3, 3, (1, 1)), norm(width), relu=False),
    )
    shortcut = None
    if stride > 1:
      conv = _Parts(channels, width, 1, 1, (stride, stride))
      shortcut = _Layer(conv, norm(width), relu=False)
    return _Block(layers, shortcut)

  stem = _Layer(_Parts(3, WIDTH, 3, 7, (1, 2)), norm(WIDTH))
  return _Recognizer(_Backbone(stem, stages(block, WIDTH, WIDTH, 1)), 8 * WIDTH)


def _conv2d(channels, features, side, stride=1):
  return nn.Conv2d(channels, features, side, stride, side // 2, bias=False)


class FrameRecognizer(nn.Module):
  """mmaction2's TSN, or TSM if `frames` are given.

  As in its code for 101 layers, with `every` 2 every second block has no shift.
  """

  def __init__(self, *, frames=None, every=1, basic=False):
    super().__init__()
    expansion = 1 if basic else 4

    def layer(conv, features, relu=True):
      return _Layer(conv, nn.BatchNorm2d(features), relu)

    def block(channels, width, is_first, stage):
      stride, features = 2 if is_first and stage else 1, expansion * width
      convs = [
        _conv2d(channels, width, 3, stride),
        _conv2d(width, features, 3),
      ]
      if not basic:
        convs = [
          _conv2d(channels, width, 1),
          _conv2d(width, width, 3, stride),
          _conv2d(width, features, 1),
        ]
      widths = [width] * (len(convs) - 1) + [features]
      layers = [
        layer(conv, n, relu=place + 1 < len(convs))
        for place, (conv, n) in enumerate(zip(convs, widths, strict=True))
      ]
      shortcut = None
      if stride > 1 or channels != features:
        shortcut = layer(_conv2d(channels, features, 1, stride), features, relu=False)
      return _Block(layers, shortcut)

    blocks = list(stages(block, WIDTH, WIDTH, expansion))
    for made in blocks:
      for one in made[::every] if frames else ():
        one.conv1.conv = Shift(one.conv1.conv, frames)
    stem = layer(_conv2d(3, WIDTH, 7, 2), WIDTH)
    self.backbone = _Backbone(stem, blocks, nn.MaxPool2d(3, 2, 1))
    self.cls_head = nn.Module()
    self.cls_head.fc_cls = nn.Linear(8 * expansion * WIDTH, CLASSES)

  def forward(self, clip):
    frames = clip.transpose(1, 2)  # N T C H W
    features = self.backbone(frames.flatten(0, 1)).mean((2, 3))
    return self.cls_head.fc_cls(features).unflatten(0, frames.shape[:2]).mean(1)


class _PlainBlock(Residual):
  """torchvision's bottleneck."""

  def __init__(self, channels, width, stride):
    super().__init__()
    features = 4 * width
    self.conv1, self.bn1 = _conv2d(channels, width, 1), nn.BatchNorm2d(width)
    self.conv2, self.bn2 = _conv2d(width, width, 3, stride), nn.BatchNorm2d(width)
    self.conv3, self.bn3 = _conv2d(width, features, 1), nn.BatchNorm2d(features)
    self.downsample = None
    if channels != features:
      self.downsample = nn.Sequential(
        _conv2d(channels, features, 1, stride), nn.BatchNorm2d(features)
      )

  def branch(self, x):
    x = functional.relu(self.bn1(self.conv1(x)))
    x = functional.relu(self.bn2(self.conv2(x)))
    return self.bn3(self.conv3(x))

  def shortcut(self, x):
    return x if self.downsample is None else self.downsample(x)

  def forward(self, x):
    return self.add(x)


class ReleasedTsm(nn.Module):
  """The released TSN, or TSM if `frames` are given."""

  def __init__(self, frames=None):
    super().__init__()
    self.base_model = base = nn.Module()
    base.conv1, base.bn1 = _conv2d(3, WIDTH, 7, 2), nn.BatchNorm2d(WIDTH)

    def block(channels, width, is_first, stage):
      return _PlainBlock(channels, width, 2 if is_first and stage else 1)

    for stage, blocks in enumerate(stages(block, WIDTH, WIDTH, 4)):
      for one in blocks if frames else ():
        one.conv1 = Shift(one.conv1, frames)
      base.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
    self.new_fc = nn.Linear(32 * WIDTH, CLASSES)

  def forward(self, clip):
    frames, base = clip.transpose(1, 2), self.base_model
    x = functional.relu(base.bn1(base.conv1(frames.flatten(0, 1))))
    x = functional.max_pool2d(x, 3, 2, 1)
    for stage in range(1, len(DEPTHS) + 1):
      x = getattr(base, f"layer{stage}")(x)
    return self.new_fc(x.mean((2, 3))).unflatten(0, frames.shape[:2]).mean(1)
