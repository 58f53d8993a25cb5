"""Random changes of colour."""

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp

from temporal_jax.data.augmentation import blend
from temporal_jax.data.augmentation.operation import Clip, Given, as_frames
from temporal_jax.validation import check_choice, check_number


@dataclasses.dataclass(frozen=True)
class Grayscale:
  """Makes some clips gray, by PIL's weights of red, green and blue.

  Attributes:
    probability: That a clip becomes gray.
  """

  stage: ClassVar[str] = "pixels"
  probability: float = 0.2

  def __post_init__(self) -> None:
    check_number("probability", self.probability, 0, 1)

  def __call__(self, key: jax.Array, clip: Clip, given: Given) -> Clip:
    """Returns the clip, gray or not."""
    del given
    levels = blend.gray(clip.frames).astype(jnp.uint8)
    chosen = jax.random.bernoulli(key, self.probability)
    return clip._replace(frames=jnp.where(chosen, levels, clip.frames))


@dataclasses.dataclass(frozen=True)
class ColorJitter:
  """Changes brightness, contrast, saturation and hue, in random order.

  Attributes:
    brightness: The factor is uniform in [max(0, 1 - b), 1 + b].
    contrast: Likewise, towards or away from the frame's mean gray.
    saturation: Likewise, towards or away from each pixel's gray.
    hue: Largest shift, of the whole circle; at most 0.5.
    probability: That a clip is changed at all.
    per_frame: Whether each frame has draws of its own, as in ILA's code.

  Source: class `ColorJitter` of torchvision.
  """

  stage: ClassVar[str] = "pixels"
  brightness: float = 0.0
  contrast: float = 0.0
  saturation: float = 0.0
  hue: float = 0.0
  probability: float = 1.0
  per_frame: bool = False

  def __post_init__(self) -> None:
    for name in ("brightness", "contrast", "saturation"):
      check_number(name, getattr(self, name), 0)
    check_number("hue", self.hue, 0, 0.5)
    check_number("probability", self.probability, 0, 1)
    check_choice("per_frame", self.per_frame, (True, False))

  def __call__(self, key: jax.Array, clip: Clip, given: Given) -> Clip:
    """Returns the clip in other colours."""
    del given
    chosen_key, draw_key = jax.random.split(key)
    if self.per_frame:
      keys = jax.random.split(draw_key, clip.frames.shape[0])
      frames = jax.vmap(self._draw)(keys, clip.frames[:, None])[:, 0]
    else:
      frames = self._draw(draw_key, clip.frames)
    chosen = jax.random.bernoulli(chosen_key, self.probability)
    return clip._replace(frames=jnp.where(chosen, frames, clip.frames))

  def _draw(self, key: jax.Array, frames: jax.Array) -> jax.Array:
    order_key, factor_key = jax.random.split(key)
    wide = jnp.asarray((self.brightness, self.contrast, self.saturation))
    uniform = jax.random.uniform(factor_key, (4,))
    low = jnp.maximum(1 - wide, 0.0)
    factors = low + uniform[:3] * (1 + wide - low)
    shift = self.hue * (2 * uniform[3] - 1)
    order = jax.random.permutation(order_key, 4)
    return jitter(frames, order, jnp.append(factors, shift))


def jitter(frames: jax.Array, order: jax.Array, amounts: jax.Array) -> jax.Array:
  """Changes frames in four ways, one after the other.

  Args:
    frames: (T, H, W, 3) uint8.
    order: (4,) int32, a permutation: 0 brightness, 1 contrast, 2 saturation,
      3 hue.
    amounts: (4,) float32, the factors of the first three and the hue's shift.

  Returns:
    Frames of the same shape, uint8, rounded after each change.
  """
  changes = (
    lambda x: blend.blend(jnp.zeros_like(x), x, amounts[0]),
    lambda x: blend.blend(blend.mean_gray(x), x, amounts[1]),
    lambda x: blend.blend(blend.gray(x), x, amounts[2]),
    lambda x: _shift_hue(x, amounts[3]),
  )

  def change(x: jax.Array, which: jax.Array) -> tuple[jax.Array, None]:
    return jax.lax.switch(which, changes, x), None

  return jax.lax.scan(change, frames, order)[0]


def _shift_hue(frames: jax.Array, shift: jax.Array) -> jax.Array:
  import dm_pix

  pixels = frames.astype(jnp.float32) / 255
  with jax.numpy_dtype_promotion("standard"):  # It adds truths to numbers.
    pixels = dm_pix.adjust_hue(pixels, shift)
  return as_frames(255 * pixels, frames.dtype)
