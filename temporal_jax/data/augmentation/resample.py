"""Resizing of boxes of frames, whose place is known at run time only."""

import jax
import jax.numpy as jnp

from temporal_jax.data.augmentation.operation import as_frames

METHODS = ("bilinear", "bicubic")


def resample(
  frames: jax.Array,
  box: jax.Array,
  size: tuple[int, int],
  *,
  method: str = "bilinear",
  antialias: bool = True,
  crop: bool = True,
) -> jax.Array:
  """Resizes a box of the frames, as PIL's crop and resize do.

  One matrix product per axis, with weights computed from the box: it costs
  T H S (W + S) products of each channel, and no gather.

  Args:
    frames: (T, H, W, 3), uint8 or float32.
    box: (4,) float32, top, left, height and width in pixels; may be fractions.
    size: Height and width of the result, in pixels.
    method: "bilinear", or "bicubic" (a = -0.5).
    antialias: Whether the filter widens where frames shrink, as in PIL; not so
      in OpenCV, nor in PyTorch unless it is asked for.
    crop: Whether pixels outside of the box count for nothing (crop, then
      resize); else the result is a part of the whole resized frame.

  Returns:
    Frames (T, *size, 3) in the dtype of `frames`.
  """
  rows, columns = (
    _weights(
      box[axis],
      box[axis + 2],
      frames.shape[1 + axis],
      size[axis],
      cubic=method == "bicubic",
      antialias=antialias,
      crop=crop,
    )
    for axis in (0, 1)
  )
  exact = jax.lax.Precision.HIGHEST
  for product, weights in (
    ("ow,thwc->thoc", columns),
    ("oh,thwc->towc", rows),
  ):
    values = frames.astype(jnp.float32)
    values = jnp.einsum(product, weights, values, precision=exact)
    frames = as_frames(values, frames.dtype)
  return frames


def _weights(
  start: jax.Array,
  length: jax.Array,
  inputs: int,
  outputs: int,
  *,
  cubic: bool,
  antialias: bool,
  crop: bool,
) -> jax.Array:
  """Weights (outputs, inputs) of the input pixels in each output pixel."""
  scale = length / outputs
  centers = start + (jnp.arange(outputs, dtype=jnp.float32) + 0.5) * scale
  places = jnp.arange(inputs, dtype=jnp.float32)
  reach = jnp.maximum(scale, 1.0) if antialias else jnp.float32(1)
  distance = jnp.abs(places[None] + 0.5 - centers[:, None]) / reach
  if cubic:
    near = (1.5 * distance - 2.5) * distance**2 + 1
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    weights = jnp.where(distance < 1, near, jnp.where(distance < 2, far, 0.0))
  else:
    weights = jnp.maximum(1 - distance, 0.0)
  if crop:
    inside = (places >= jnp.floor(start)) & (places < start + length)
    weights = jnp.where(inside[None], weights, 0.0)
  return weights / jnp.sum(weights, axis=1, keepdims=True)
