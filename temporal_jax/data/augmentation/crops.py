"""Random crops, resampled to the model's image size."""

import dataclasses
from collections.abc import Sequence
from typing import ClassVar

import jax
import jax.numpy as jnp

from temporal_jax.data.augmentation import boxes
from temporal_jax.data.augmentation.operation import Clip, Given
from temporal_jax.data.augmentation.resample import METHODS, resample
from temporal_jax.validation import check_choice, check_number, check_range, check_whole


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Crop:
  """Base class of crops.

  Attributes:
    size: Side of the result, in pixels; 0 for the model's image size.
    method: "bilinear" or "bicubic".
    antialias: See `resample`.
  """

  stage: ClassVar[str] = "any"
  crop_first: ClassVar[bool] = True  # See `resample`, `crop`.
  size: int = 0
  method: str = "bilinear"
  antialias: bool = True

  def __post_init__(self) -> None:
    check_whole("size", self.size, 0)
    check_choice("method", self.method, METHODS)
    check_choice("antialias", self.antialias, (True, False))

  def __call__(self, key: jax.Array, clip: Clip, given: Given) -> Clip:
    """Returns the cropped clip, its frames side x side."""
    side = self.size or given.image_size
    frames = resample(
      clip.frames,
      boxes.on_canvas(clip, self._box(key, clip.size, side)),
      (side, side),
      method=self.method,
      antialias=self.antialias,
      crop=self.crop_first,
    )
    size = jnp.full((2,), side, jnp.float32)
    return clip._replace(frames=frames, size=size)

  def _box(self, key: jax.Array, size: jax.Array, side: int) -> tuple[jax.Array, ...]:
    """Draws top, left, height and width, in true pixels."""
    raise NotImplementedError


@dataclasses.dataclass(frozen=True)
class RandomSizedCrop(_Crop):
  """A box of random area and aspect, resized to a square.

  The first of ten draws that fits into the frame is taken.

  Attributes:
    area: Smallest and largest share of the frame's area.
    aspect: Smallest and largest width / height.
    swap: Probability that width and height are exchanged.
    log_aspect: Whether the logarithm of the aspect is uniform.
    fallback: If none fits: "center", the largest centred box of an allowed
      aspect, or "random", a random square of the frame's shorter side.

  Source: class `RandomResizedCrop` of torchvision (the defaults); class
    `GroupRandomSizedCrop` in dataset/transforms.py of whwu95/ATM (swap=0.5,
    log_aspect=False, fallback="random").
  """

  area: Sequence[float] = (0.08, 1.0)
  aspect: Sequence[float] = (3 / 4, 4 / 3)
  swap: float = dataclasses.field(default=0.0, kw_only=True)
  log_aspect: bool = dataclasses.field(default=True, kw_only=True)
  fallback: str = dataclasses.field(default="center", kw_only=True)

  def __post_init__(self) -> None:
    super().__post_init__()
    check_range("area", self.area, 0, 1)
    check_range("aspect", self.aspect, 0, float("inf"))
    check_number("swap", self.swap, 0, 1)
    check_choice("log_aspect", self.log_aspect, (True, False))
    check_choice("fallback", self.fallback, ("center", "random"))

  def _box(self, key: jax.Array, size: jax.Array, side: int) -> tuple[jax.Array, ...]:
    sides_key, swap_key, *keys = jax.random.split(key, 4)
    heights, widths = boxes.draw_sides(
      sides_key,
      size,
      area=self.area,
      aspect=self.aspect,
      log_aspect=self.log_aspect,
    )
    swapped = jax.random.bernoulli(swap_key, self.swap, heights.shape)
    heights, widths = (
      jnp.where(swapped, widths, heights),
      jnp.where(swapped, heights, widths),
    )
    fits = (heights <= size[0]) & (widths <= size[1])
    fits &= (heights > 0) & (widths > 0)
    first = jnp.argmax(fits)
    height, width = heights[first], widths[first]
    drawn = (
      boxes.draw_offset(keys[0], size[0] - height),
      boxes.draw_offset(keys[1], size[1] - width),
      height,
      width,
    )
    spare = self._fallback(keys, size, side)
    return tuple(
      jnp.where(fits[first], a, b) for a, b in zip(drawn, spare, strict=True)
    )

  def _fallback(
    self, keys: Sequence[jax.Array], size: jax.Array, side: int
  ) -> tuple[jax.Array, ...]:
    if self.fallback == "center":
      low, high = self.aspect
      height = jnp.minimum(size[0], jnp.round(size[1] / low))
      width = jnp.minimum(size[1], jnp.round(size[0] * high))
      top, left = (size[0] - height) // 2, (size[1] - width) // 2
      return top, left, height, width
    # Drawn in pixels of the frame whose shorter side is resized to `side`.
    short = jnp.min(size)
    most = jnp.floor(size * side / short) - side
    top, left = (
      boxes.draw_offset(key, most[axis]) * short / side for axis, key in enumerate(keys)
    )
    return top, left, short, short


@dataclasses.dataclass(frozen=True)
class MultiScaleCrop(_Crop):
  """A box of one of a few sizes, at one of a few places, made square.

  Sides are the frame's shorter one times a scale, rounded down; one within two
  pixels of the result's side becomes it. The places are points of a 5 x 5 grid
  over all offsets.

  Attributes:
    scales: Scales of the shorter side, the largest first.
    positions: 5, corners and centre, or 13, with the middles of the edges and
      the centres of the four quarters.
    gap: Largest difference of place in `scales` between height and width.

  Source: class `GroupMultiScaleCrop` of TSN, so in dataset/transforms.py of
    whwu95/ATM and core/video_utils.py of IBM/bLVNet-TAM.
  """

  scales: Sequence[float] = (1.0, 0.875, 0.75, 0.66)
  positions: int = 5
  gap: int = 1

  def __post_init__(self) -> None:
    super().__post_init__()
    if not isinstance(self.scales, tuple | list) or not self.scales:
      raise ValueError(f"scales must be numbers in ]0, 1], got {self.scales}.")
    for scale in self.scales:
      check_range("scales", (scale, 1), 0, 1)
    check_choice("positions", self.positions, tuple(_GRID))
    check_whole("gap", self.gap, 0)

  def _box(self, key: jax.Array, size: jax.Array, side: int) -> tuple[jax.Array, ...]:
    sides_key, place_key = jax.random.split(key)
    scales = jnp.asarray(self.scales, jnp.float32)
    # Floats may fall just short of a whole.
    sides = jnp.floor(jnp.min(size) * scales + 1e-3)
    sides = jnp.where(jnp.abs(sides - side) < 3, float(side), sides)
    sides = jnp.minimum(sides, jnp.min(size))
    count = range(len(self.scales))
    pairs = [(i, j) for i in count for j in count if abs(i - j) <= self.gap]
    height, width = sides[jax.random.choice(sides_key, jnp.asarray(pairs))]
    grid = jnp.asarray(_GRID[self.positions], jnp.float32)
    down, right = jax.random.choice(place_key, grid)
    top = down * ((size[0] - height) // 4)
    return top, right * ((size[1] - width) // 4), height, width


_CORNERS = ((0, 0), (0, 4), (4, 0), (4, 4), (2, 2))
_GRID = {
  5: _CORNERS,
  13: _CORNERS + ((0, 2), (2, 0), (2, 4), (4, 2), (1, 1), (1, 3), (3, 1), (3, 3)),
}


@dataclasses.dataclass(frozen=True)
class RandomCrop(_Crop):
  """A square of the result's side, at a random place.

  A side of the frame that is shorter than that is taken whole, and stretched.
  (X-ViT's code never draws the last offset; here all are drawn.)
  """

  crop_first: ClassVar[bool] = False  # Resized as a whole frame, then cropped.

  def _box(self, key: jax.Array, size: jax.Array, side: int) -> tuple[jax.Array, ...]:
    lengths = jnp.minimum(size, float(side))
    top, left = (
      boxes.draw_offset(one, size[axis] - lengths[axis])
      for axis, one in enumerate(jax.random.split(key))
    )
    return top, left, lengths[0], lengths[1]
