"""ILA in torch: its operators, and a ViT-B/32 tower with it in every block.

Written from the equations of the paper and its supplement (Tu et al. 2023,
arXiv:2304.10465), not from the authors' code, which has no licence. Sizes and
cost are the paper's, names as in `layers.LearnableAlignment`. Clips are N T C H
W, tokens N T L D with the class token first, pairs N P with P = T - 1. Masks
are undisturbed, as in inference.
"""

import torch
from torch import nn
from torch.nn import functional

from benchmarks.reference import openai_clip, primitives
from convert_weights.formats import clip
from convert_weights.rules import (
  Rule,
  batch_norm,
  conv2d,
  conv3d_temporal,
  layer_norm,
  linear,
  under,
)

_WIDTH = openai_clip.WIDTH
_GRID = 7  # Patches per side: 224 pixels in patches of 32.
_FRAME = 128  # Channels that a pair keeps for each of its two frames.
# The mask's flat top ends at this distance; beyond it the weight falls so fast.
_PLATEAU, _SLOPE = 0.25, 1.5
_REACH = 0.75  # Farthest that a mask's centre moves, in half frames.


def mask(points, size):
  """Weights around centres (..., 2), x before y: (..., size, size).

  The paper's w(s) = 1 for s <= 0.25, then 1 - 1.5 (s - 0.25), at least 0.
  """
  places = torch.linspace(-1, 1, size, dtype=points.dtype, device=points.device)
  distance = (places - points[..., None]).abs()  # (..., xy, size)
  weight = (1 - _SLOPE * (distance - _PLATEAU)).clamp(0, 1)
  x, y = weight.unbind(-2)
  return y[..., :, None] * x[..., None, :]


def merge(first, second):
  """Frames N T ... from both frames of each pair, N P ... each.

  A frame in two pairs is the mean of its two versions.
  """
  shared = torch.lerp(second[:, :-1], first[:, 1:], 0.5)
  return torch.cat([first[:, :1], shared, second[:, -1:]], 1)


def alignment(x, points, size):
  """Masks both frames of each pair: tokens N T L D, points N P 4."""
  masks = mask(points.unflatten(-1, (2, 2)), size).flatten(-2)  # N P 2 patches
  masks = functional.pad(masks, (1, 0), value=1.0)  # Class tokens are kept.
  first, second = masks[..., None].unbind(2)
  return merge(x[:, :-1] * first, x[:, 1:] * second)


def interaction(x, w):
  """The separable convolutions of a pair's maps, in inference: (N P) 2C H W."""
  layers = (
    ("depthwise", "depthwise_scale", "depthwise_offset", x.shape[1]),
    ("conv1", "scale1", "bias1", 1),
    ("conv2", "scale2", "bias2", 1),
  )
  for conv, scale, offset, groups in layers:
    kernel, bias = w[conv], w[f"{conv}_bias"]
    x = functional.conv2d(x, kernel, bias, padding="same", groups=groups)
    x = primitives.batch_norm(x, w[scale], w[offset]).relu()
  return x


class _Interaction(nn.Module):
  """Features of pairs, (N P) 256 H W, from both frames' maps, (N P) 2D H W."""

  def __init__(self):
    super().__init__()
    pair, features = 2 * _WIDTH, 2 * _FRAME
    self.depthwise = nn.Conv2d(pair, pair, 3, padding=1, groups=pair)
    self.depthwise_norm = nn.BatchNorm2d(pair)
    self.conv1, self.norm1 = nn.Conv2d(pair, features, 1), nn.BatchNorm2d(features)
    self.conv2 = nn.Conv2d(features, features, 3, padding=1)
    self.norm2 = nn.BatchNorm2d(features)

  def forward(self, x):
    x = functional.relu(self.depthwise_norm(self.depthwise(x)))
    x = functional.relu(self.norm1(self.conv1(x)))
    return functional.relu(self.norm2(self.conv2(x)))


class _Prediction(nn.Module):
  """Centres of a pair's masks, (N P) 4, from its features (N P) 256 H W."""

  def __init__(self):
    super().__init__()
    self.conv1 = nn.Conv2d(2 * _FRAME, _FRAME, 3, padding=1)
    self.conv2 = nn.Conv2d(_FRAME, _FRAME, 3, padding=1)
    self.norm1, self.norm2 = nn.BatchNorm2d(_FRAME), nn.BatchNorm2d(_FRAME)
    # One group for each frame of the pair.
    self.hidden = nn.Conv1d(_FRAME, _FRAME // 2, 1, groups=2)
    self.points = nn.Conv1d(_FRAME // 2, 4, 1, groups=2)

  def forward(self, x):
    for conv, norm in ((self.conv1, self.norm1), (self.conv2, self.norm2)):
      x = functional.relu(functional.max_pool2d(norm(conv(x)), 2))
    x = x.amax((2, 3))[..., None]
    x = self.points(functional.relu(self.hidden(x)))
    return _REACH * torch.tanh(x[..., 0])


class _Pairs(nn.Module):
  """Aligned frames and interactive features, N T L D each, from N T L D."""

  def __init__(self):
    super().__init__()
    self.interaction, self.prediction = _Interaction(), _Prediction()
    self.temporal = nn.Conv3d(_FRAME, _FRAME, (3, 1, 1), padding=(1, 0, 0))
    self.expand = nn.Linear(_FRAME, _WIDTH)

  def forward(self, x):
    clips, pairs = len(x), x.shape[1] - 1
    maps = x[:, :, 1:].transpose(2, 3).unflatten(3, (_GRID, _GRID))  # N T D H W
    both = torch.cat([maps[:, :-1], maps[:, 1:]], 2).flatten(0, 1)
    shared = self.interaction(both)
    points = self.prediction(shared).view(clips, pairs, 4)
    first, second = shared.view(clips, pairs, 2, _FRAME, _GRID, _GRID).unbind(2)
    own = self.temporal(merge(first, second).transpose(1, 2))  # N 128 T H W
    own = self.expand(own.flatten(3).permute(0, 2, 3, 1))  # N T HW D
    interactive = torch.cat([x[:, :, :1], own], 2)
    return alignment(x, points, _GRID), interactive


class _Block(openai_clip.Block):
  """CLIP's block after ILA's branch: N T L D."""

  def __init__(self):
    super().__init__(batch_first=True)
    self.message, self.message_norm = nn.Linear(_WIDTH, _WIDTH), nn.LayerNorm(_WIDTH)
    self.pairs = _Pairs()
    self.from_aligned = nn.Linear(_WIDTH, _WIDTH)
    self.from_interactive = nn.Linear(_WIDTH, _WIDTH)

  def forward(self, x):
    aligned, interactive = self.pairs(self.message_norm(self.message(x)))
    x = x + self.from_aligned(aligned) + self.from_interactive(interactive)
    x = x + self.attention_branch(x.flatten(0, 1)).view_as(x)
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


def rules() -> list[Rule]:
  """Rules of a `VisionTransformer` with ILA in its blocks, from `IlaTower`."""
  interaction_rules = [
    Rule("params/depthwise/kernel", ("depthwise.weight",), "c 1 h w -> h w c"),
    Rule("params/depthwise/bias", ("depthwise.bias",), "c -> c"),
    *batch_norm("depthwise_norm", "depthwise_norm"),
    *_normed_convolutions(),
  ]
  prediction = [*_normed_convolutions(), *_grouped("hidden"), *_grouped("points")]
  pairs = [
    *under(interaction_rules, "interaction", "interaction"),
    *under(prediction, "prediction", "prediction"),
    *conv3d_temporal("temporal", "temporal", bias=True),
    *linear("expand", "expand"),
  ]
  branch = [
    *linear("message", "message"),
    *layer_norm("message_norm", "message_norm"),
    *under(pairs, "pairs", "pairs"),
    *linear("from_aligned", "from_aligned"),
    *linear("from_interactive", "from_interactive"),
  ]
  block = [*under(branch, "attention_branch", ""), *clip.transformer_block()]
  return clip.vision_transformer(block)


def _normed_convolutions() -> list[Rule]:
  """Rules of two convolutions with their norms."""
  return [
    rule
    for i in (1, 2)
    for rule in (
      *conv2d(f"conv{i}", f"conv{i}", bias=True),
      *batch_norm(f"norm{i}", f"norm{i}"),
    )
  ]


def _grouped(name: str) -> list[Rule]:
  """Rules of a `Conv1d` of one tap in two groups."""
  return [
    Rule(f"params/{name}/kernel", (f"{name}.weight",), "(g o) i 1 -> g i o"),
    Rule(f"params/{name}/bias", (f"{name}.bias",), "(g o) -> g o"),
  ]
