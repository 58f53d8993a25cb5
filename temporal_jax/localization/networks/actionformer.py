"""ActionFormer: a pyramid of positions, each with classes and a segment."""

import math
from collections.abc import Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from temporal_jax import layers
from temporal_jax.layers.initializers import torch_default
from temporal_jax.localization.networks.actionformer_block import ActionFormerBlock
from temporal_jax.localization.networks.pyramid import FeaturePyramid
from temporal_jax.localization.networks.pyramid_head import PyramidHead

_PRIOR = 0.01  # Probability of a class at the start of training,
_EMPTY_PRIOR = 1e-6  # and of a class without segments.
Level = dict[str, Any]


class ActionFormer(nn.Module):
  """Classifies the positions of a pyramid and regresses their segments.

  Attributes:
    num_classes: Classes of segments, L.
    width: Channels, C; also in the heads.
    num_heads: Heads of the attention.
    windows: Positions that a position of each level looks at, odd or None for
      all of the level; or one for all levels.
    ranges: (least, greatest) distance of a segment's ends from a position of
      each level, in positions of the sequence; there are as many levels.
    max_length: Positions of the sequences it is trained with, which the
      absolute positions are made for.
    embedding_layers: Convolutions before the blocks.
    stem_blocks: Blocks of the first level.
    stride: Step from level to level.
    head_layers: Convolutions of each head.
    taps: Positions that a convolution sees, odd.
    top_down: Whether levels are summed from the coarsest down, as in a feature
      pyramid; else they only have norms.
    positions: Whether absolute positions are added to the embedding; for
      sequences longer than `max_length` they are interpolated.
    relative_bias: Whether attention in windows has a learned bias for each
      place.
    empty_classes: Classes without a segment in training, which start as very
      unlikely.
    drop_path: Probability that a branch is dropped for a sequence.
    dropout: Rate in the blocks.
    dtype: Dtype of the computation; parameters, logits and offsets stay
      float32.

  Source: Zhang et al. 2022, https://arxiv.org/abs/2202.07925; class
    `PtTransformer` in libs/modeling/meta_archs.py of
    happyharrycn/actionformer_release.
  """

  num_classes: int
  width: int = 512
  num_heads: int = 4
  windows: int | Sequence[int | None] | None = 19
  ranges: Sequence[tuple[float, float]] = (
    (0, 4),
    (4, 8),
    (8, 16),
    (16, 32),
    (32, 64),
    (64, 10_000),
  )
  max_length: int = 2304
  embedding_layers: int = 2
  stem_blocks: int = 2
  stride: int = 2
  head_layers: int = 3
  taps: int = 3
  top_down: bool = False
  positions: bool = False
  relative_bias: bool = False
  empty_classes: Sequence[int] = ()
  drop_path: float = 0.1
  dropout: float = 0.0
  dtype: jax.typing.DTypeLike = jnp.float32

  def __post_init__(self) -> None:
    super().__post_init__()
    windows = self.windows
    if isinstance(windows, Sequence) and len(windows) != len(self.ranges):
      raise ValueError(
        f"windows and ranges must have a value for each level, got {windows} "
        f"and {self.ranges}."
      )

  @nn.nowrap
  def level_windows(self) -> tuple[int | None, ...]:
    """Returns the window of each level."""
    if isinstance(self.windows, Sequence):
      return tuple(self.windows)
    return (self.windows,) * len(self.ranges)

  @nn.nowrap
  def padded_length(self, length: int) -> int:
    """Returns the positions that sequences of `length` are padded to.

    That is `max_length`, or the next multiple of the blocks that the authors'
    attention needs.

    Source: `preprocessing` of class `PtTransformer`.
    """
    strides = [self.stride**level for level in range(len(self.ranges))]
    windows = zip(strides, self.level_windows(), strict=True)
    divisor = max(s * max((w or 1) // 2 * 2, 1) for s, w in windows)
    return max(self.max_length, -(-length // divisor) * divisor)

  @nn.compact
  def __call__(
    self, features: jax.Array, mask: jax.Array, train: bool = False
  ) -> list[Level]:
    """Finds segments.

    Args:
      features: Features (B, T, C), floating point.
      mask: Positions that hold features, bool (B, T). Only the first ones of a
        sequence may; a sequence sees of its padding the first position only.
      train: Whether branches are dropped; takes the "dropout" rng.

    Returns:
      For each level of T_l = T / stride**l positions: "logits" of the classes
      (B, T_l, L); "offsets" from a position to the start and the end of its
      segment, in positions of the level (B, T_l, 2), not negative; "mask"
      (B, T_l); "points" (T_l, 4): position in the sequence, least and greatest
      distance, stride; "features" (B, T_l, width). Logits and offsets are
      float32, and zero outside of the mask.

    Raises:
      ValueError: If the features are not floating point (B, T, C) with a T that
        the last level's stride divides, or the mask is not bool (B, T).
    """
    _check(features, mask, self.stride ** (len(self.ranges) - 1))
    held = mask[:, :, None]
    x = features * held.astype(features.dtype)
    for layer in range(self.embedding_layers):
      x = self._convolution(f"embedding{layer + 1}")(x)
      norm = layers.LayerNorm(dtype=self.dtype, name=f"embedding{layer + 1}_norm")
      x = jax.nn.relu(norm(x * held.astype(x.dtype)))
    if self.positions:
      x += self._positions(x) * held.astype(x.dtype)
    levels = FeaturePyramid(
      self.width, top_down=self.top_down, dtype=self.dtype, name="pyramid"
    )(self._backbone(x, mask, train))
    settings = {
      "width": self.width,
      "num_layers": self.head_layers,
      "taps": self.taps,
      "dtype": self.dtype,
    }
    logits = PyramidHead(
      self.num_classes, bias_init=self._prior, name="classification", **settings
    )(levels)
    offsets = PyramidHead(2, name="regression", **settings)(levels)
    out = []
    for level, (x, held) in enumerate(levels):
      scale = self.param(f"scale{level + 1}", nn.initializers.ones, (), jnp.float32)
      scale = scale.astype(offsets[level].dtype)
      out.append(
        {
          "logits": logits[level],
          "offsets": jax.nn.relu(offsets[level] * scale),
          "mask": held,
          "points": self._points(level, x.shape[1]),
          "features": x,
        }
      )
    return out

  def _convolution(self, name: str) -> layers.TemporalConv:
    return layers.TemporalConv(
      self.width,
      self.taps,
      use_bias=False,
      kernel_init=torch_default(),
      dtype=self.dtype,
      name=name,
    )

  def _backbone(
    self, x: jax.Array, mask: jax.Array, train: bool
  ) -> list[tuple[jax.Array, jax.Array]]:
    """Returns features and mask of each level."""
    windows = self.level_windows()
    names = [f"stem{block + 1}" for block in range(self.stem_blocks)]
    names += [f"branch{level}" for level in range(1, len(windows))]
    levels = []
    for name in names:
      first = name.startswith("stem")
      x, mask = ActionFormerBlock(
        num_heads=self.num_heads,
        window=windows[len(levels)],
        stride=1 if first else self.stride,
        drop_path=self.drop_path,
        dropout=self.dropout,
        relative_bias=self.relative_bias,
        dtype=self.dtype,
        name=name,
      )(x, mask, train)
      if not first or name == names[self.stem_blocks - 1]:
        levels.append((x, mask))
    return levels

  def _positions(self, x: jax.Array) -> jax.Array:
    """Returns sines of the positions, (1, T, C); if longer, interpolated."""
    _, length, width = x.shape
    table = sine_positions(self.max_length, width) / width**0.5
    if length > self.max_length:
      scale = self.max_length / length
      place = (np.arange(length) + 0.5) * scale - 0.5
      place = np.clip(place, 0, self.max_length - 1)
      known = np.arange(self.max_length)
      table = np.stack([np.interp(place, known, column) for column in table.T], 1)
    return jnp.asarray(table[None, :length], x.dtype)

  def _points(self, level: int, length: int) -> jax.Array:
    """Returns (T_l, 4): position, least and greatest distance, stride."""
    step = self.stride**level
    points = np.empty((length, 4), np.float32)
    points[:, 0] = np.arange(length) * step
    points[:, 1:3] = self.ranges[level]
    points[:, 3] = step
    return jnp.asarray(points)

  @nn.nowrap
  def _prior(
    self, key: jax.Array, shape: tuple[int, ...], dtype: jax.typing.DTypeLike
  ) -> jax.Array:
    """Initialises the classifier's bias."""
    del key
    bias = np.full(shape, -math.log(1 / _PRIOR - 1))
    bias[list(self.empty_classes)] = -math.log(1 / _EMPTY_PRIOR - 1)
    return jnp.asarray(bias, dtype)


def sine_positions(length: int, width: int) -> np.ndarray:
  """Returns sines, and cosines, of all positions: float64 (length, width).

  Source: Vaswani et al. 2017, https://arxiv.org/abs/1706.03762, section 3.5.
  """
  channel = np.arange(width)
  angle = np.arange(length)[:, None] / 10_000 ** (channel // 2 * 2 / width)
  return np.where(channel % 2 == 0, np.sin(angle), np.cos(angle))


def _check(features: jax.Array, mask: jax.Array, stride: int) -> None:
  """Raises ValueError unless features and mask are of the described shapes."""
  if features.ndim != 3 or not jnp.issubdtype(features.dtype, jnp.floating):
    raise ValueError(
      "features must be floating point (B, T, C), got "
      f"{features.dtype} {features.shape}."
    )
  if mask.dtype != bool or mask.shape != features.shape[:2]:
    raise ValueError(
      f"mask must be bool {features.shape[:2]}, got {mask.dtype} {mask.shape}."
    )
  if features.shape[1] % stride:
    raise ValueError(
      f"the {features.shape[1]} positions must be a multiple of the last "
      f"level's stride {stride}: pad them."
    )
