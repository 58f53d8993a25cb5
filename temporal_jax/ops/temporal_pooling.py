"""Pooling along time, and over space where it is asked for."""

import functools

import jax
import jax.numpy as jnp

from temporal_jax.ops import shape_checks
from temporal_jax.ops.lowering.accumulation_dtype import widen
from temporal_jax.ops.lowering.moved_frames import max_moved, sum_moved
from temporal_jax.ops.pooling import average_pool_2d, max_pool_2d
from temporal_jax.ops.temporal_convolution import neighbours
from temporal_jax.validation import check_choice

KINDS = ("average", "max", "mix")


def temporal_pooling(
  x: jax.Array,
  *,
  size: int = 3,
  stride: int = 1,
  space: int = 1,
  kind: str = "average",
) -> jax.Array:
  """Pools every place over a window of frames.

  "average" is the mean over the window, frames outside the clip counting as
  zero; "max" the maximum over frames inside it; "mix" their sum.

  Args:
    x: Features (B, T, ..., C), floating point.
    size: Frames of the window; odd. It is centred on its frame.
    stride: Frames from one window to the next, at least 1.
    space: Side of the window over H and W, in pixels; odd. It is centred on its
      place. Above 1, `x` is (B, T, H, W, C).
    kind: One of `KINDS`.

  Returns:
    Features (B, ceil(T / stride), ..., C) in the dtype of `x`.

  Raises:
    ValueError: If `x` is not floating point (B, T, ..., C), `size` or `space`
      is even, `stride` is not positive or `kind` is unknown.

  Source: Huang et al. 2023, https://arxiv.org/abs/2308.05787, equation 8 and
    table 3e; `b_avgpool` of class `TAda2DBlock` in
    module_zoo/branches/tada_branch.py of alibaba-mmai-research/TAdaConv.
  """
  shape_checks.frames(x)
  for name, side in (("size", size), ("space", space)):
    shape_checks.odd(name, side)
  shape_checks.whole(1, stride=stride)
  check_choice("kind", kind, KINDS)
  if space > 1:
    shape_checks.video(x)
  window = {"size": space, "stride": 1, "padding": space // 2}
  pooled = []
  if kind != "max":
    places = average_pool_2d(x, **window) if space > 1 else x
    pooled.append(_average(places, size))
  if kind != "average":
    places = max_pool_2d(x, **window) if space > 1 else x
    pooled.append(_maximum(places, size))
  return sum(pooled)[:, ::stride]


def _average(x: jax.Array, size: int) -> jax.Array:
  """Returns the mean over `size` frames around every frame."""

  def divide(_, frames: jax.Array) -> jax.Array:
    return widen(frames) / size

  reach = size // 2
  return jax.lax.platform_dependent(
    x,
    cpu=lambda x: (sum(neighbours(widen(x), size)) / size).astype(x.dtype),
    default=lambda x: sum_moved(divide, range(-reach, reach + 1), x).astype(x.dtype),
  )


def _maximum(x: jax.Array, size: int) -> jax.Array:
  """Returns the maximum over `size` frames around every frame."""

  def compare(x: jax.Array) -> jax.Array:
    return functools.reduce(jnp.maximum, neighbours(x, size, outside=-jnp.inf))

  return jax.lax.platform_dependent(
    x, cpu=compare, default=functools.partial(max_moved, reach=size // 2)
  )
