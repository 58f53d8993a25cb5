"""Changes of values from an image network to a video network.

A change is called as `change(value, shape, inflation)` and returns the value of
a leaf of this shape; a value that has the shape already keeps its values.
"""

import jax
import jax.numpy as jnp

from temporal_jax.models.blocks.positions import count_places, fit_frames, fit_grid
from temporal_jax.validation import check_choice

INFLATIONS = ("centre", "mean")


def check_inflation(inflation: str) -> None:
  """Raises ValueError unless `inflate` knows it."""
  check_choice("inflation", inflation, INFLATIONS)


def inflate(value: jax.Array, shape: tuple[int, ...], inflation: str) -> jax.Array:
  """Gives a kernel taps over time, as its first axis, where the leaf has them.

  Args:
    value: Kernel without time; (..., C, C'), or anything else that stays.
    shape: The same, or (T, ..., C, C'); (T, C, C') for one pixel's, whose axes
      of space fall away.
    inflation: "centre" puts it at tap T // 2 with zeros around it, "mean" puts
      T-th parts of it at every tap (I3D); the answer to a clip without motion
      is the image network's, except for the ends of the clip.
  """
  check_inflation(inflation)
  if len(shape) == value.ndim - 1 and value.shape[:2] == (1, 1):
    value = value[0, 0]
  if len(shape) != value.ndim + 1:
    return value
  taps = shape[0]
  value = jnp.asarray(value, jnp.float32)  # Halves divide badly.
  if inflation == "mean":
    return jnp.broadcast_to(value / taps, (taps, *value.shape))
  sides = [(taps // 2, taps - 1 - taps // 2)] + [(0, 0)] * value.ndim
  return jnp.pad(value[None], sides)


def inflate_stem(value: jax.Array, shape: tuple[int, ...], inflation: str) -> jax.Array:
  """As `inflate`; a stem for optical flow takes the mean over R, G and B.

  Args:
    value: Kernel (H, W, 3, C'), or a vector, which stays. Kernels with another
      number of channels must have the leaf's.
    shape: (H, W, C, C') or (T, H, W, C, C').
    inflation: See `inflate`.

  Raises:
    ValueError: If the channels differ and are not R, G and B.
  """
  if value.ndim == 1:
    return value
  channels = shape[-2]
  if channels != value.shape[-2]:
    if value.shape[-2] != 3:
      raise ValueError(
        f"a stem of {value.shape[-2]} channels gives none of {channels}; only "
        "a stem of three, R, G and B, does."
      )
    mean = jnp.mean(value, axis=-2, keepdims=True, dtype=jnp.float32)
    value = jnp.broadcast_to(mean, (*mean.shape[:-2], channels, mean.shape[-1]))
  return inflate(value, shape, inflation)


def inflate_wider(
  value: jax.Array, shape: tuple[int, ...], inflation: str
) -> jax.Array:
  """As `inflate`; input channels that the image network lacks get zeros.

  Args:
    value: Kernel (..., C, C'), or a vector, which stays.
    shape: (..., C + M, C') or (T, ..., C + M, C').
    inflation: See `inflate`.
  """
  if value.ndim == 1:
    return value
  more = shape[-2] - value.shape[-2]
  if more < 0:
    raise ValueError(f"{value.shape} has more input channels than {shape}.")
  sides = [(0, 0)] * (value.ndim - 2) + [(0, more), (0, 0)]
  return inflate(jnp.pad(value, sides), shape, inflation)


def resize_positions(
  value: jax.Array, shape: tuple[int, ...], inflation: str
) -> jax.Array:
  """Resizes learned positions (N, D) to another square of patches.

  Bicubically, as torch's `interpolate` does; that of a class token stays.
  """
  del inflation
  return _resized(value, shape, antialias=False)


def smooth_positions(
  value: jax.Array, shape: tuple[int, ...], inflation: str
) -> jax.Array:
  """As `resize_positions`; a smaller square gets smoothed positions."""
  del inflation
  return _resized(value, shape, antialias=True)


def _resized(value: jax.Array, shape: tuple[int, ...], *, antialias: bool) -> jax.Array:
  _, side = count_places(shape[0])
  value = jnp.asarray(value, jnp.float32)
  return fit_grid(value, (side, side), antialias=antialias)


RESIZES = (resize_positions, smooth_positions)


def resize_moments(
  value: jax.Array, shape: tuple[int, ...], inflation: str
) -> jax.Array:
  """Resizes learned positions of frames (P, D) to other numbers of frames.

  Linearly, as a network does with longer clips.
  """
  del inflation
  return fit_frames(jnp.asarray(value, jnp.float32), shape[0])


INTERPOLATIONS = (*RESIZES, resize_moments)


def move_channels(
  value: jax.Array, shape: tuple[int, ...], inflation: str, *, places: int
) -> jax.Array:
  """Rotates the input channels of a kernel (C, C'), see `jnp.roll`."""
  del shape, inflation
  return jnp.roll(value, places, axis=0)


def add(
  value: jax.Array, shape: tuple[int, ...], inflation: str, *, amount: float
) -> jax.Array:
  """Adds an amount to every number, such as an epsilon to variances."""
  del shape, inflation
  return jnp.asarray(value, jnp.float32) + amount
