"""Resizing of whole frames."""

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp

from temporal_jax.data.augmentation.operation import Clip, Given
from temporal_jax.data.augmentation.resample import METHODS, resample
from temporal_jax.validation import check_choice, check_whole


@dataclasses.dataclass(frozen=True)
class Resize:
  """Resizes frames to height x width, whatever their aspect.

  Attributes:
    height: Height in pixels; 0 for the model's image size.
    width: Width in pixels; likewise.
    method: "bicubic" or "bilinear".
    antialias: See `resample`.
  """

  stage: ClassVar[str] = "any"
  height: int = 0
  width: int = 0
  method: str = "bicubic"
  antialias: bool = True

  def __post_init__(self) -> None:
    check_whole("height", self.height, 0)
    check_whole("width", self.width, 0)
    check_choice("method", self.method, METHODS)
    check_choice("antialias", self.antialias, (True, False))

  def __call__(self, key: jax.Array, clip: Clip, given: Given) -> Clip:
    """Returns the resized clip; it takes nothing from `key`."""
    del key
    size = (self.height or given.image_size, self.width or given.image_size)
    frames = resample(
      clip.frames,
      jnp.asarray((0, 0, *clip.frames.shape[1:3]), jnp.float32),
      size,
      method=self.method,
      antialias=self.antialias,
    )
    return clip._replace(frames=frames, size=jnp.asarray(size, jnp.float32))


@dataclasses.dataclass(frozen=True)
class ShortSideJitter:
  """Resizes the shorter side to a random length, the longer in proportion.

  The frames only get another size to draw crops in; the crop or the resizing
  that must follow resamples them, once.

  Attributes:
    low: Shortest length, in pixels.
    high: Longest; `low` for no randomness.
    rounding: Rounding of the uniform draw: "round", or "down" as `int` does.

  Source: X-ViT, slowfast/datasets/transform.py (round); TAdaConv,
    datasets/utils/transformations.py (int).
  """

  stage: ClassVar[str] = "any"
  low: int
  high: int
  rounding: str = "round"

  def __post_init__(self) -> None:
    check_whole("low", self.low, 1)
    check_whole("high", self.high, self.low)
    check_choice("rounding", self.rounding, ("round", "down"))

  def __call__(self, key: jax.Array, clip: Clip, given: Given) -> Clip:
    """Returns the clip with its new size."""
    del given
    length = jax.random.uniform(key, minval=self.low, maxval=self.high)
    length = jnp.round(length) if self.rounding == "round" else (jnp.floor(length))
    # The longer side is rounded down; floats may fall just short of a whole.
    ratio = clip.size / jnp.min(clip.size)
    size = jnp.maximum(jnp.floor(ratio * length + 1e-3), length)
    return clip._replace(size=size)
