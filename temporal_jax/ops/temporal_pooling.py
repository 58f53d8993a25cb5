"""Pooling along time."""

import functools

import jax
import jax.numpy as jnp

from temporal_jax.ops import shape_checks
from temporal_jax.ops.temporal_convolution import neighbours
from temporal_jax.validation import check_at_least, check_choice

KINDS = ("average", "max", "mix")


def temporal_pooling(
  x: jax.Array, *, size: int = 3, stride: int = 1, kind: str = "average"
) -> jax.Array:
  """Pools every place over a window of frames.

  "average" is the mean over the window, frames outside the clip counting as
  zero; "max" the maximum over the frames that there are; "mix" their sum.

  Args:
    x: Features (B, T, ..., C), floating point.
    size: Frames of the window; odd. It is centred on its frame.
    stride: Frames from one window to the next, at least 1.
    kind: One of `KINDS`.

  Returns:
    Features (B, ceil(T / stride), ..., C) in the dtype of `x`.

  Raises:
    ValueError: If `x` is not floating point (B, T, ..., C), `size` is even,
      `stride` is not positive or `kind` is unknown.

  Source: Huang et al. 2023, https://arxiv.org/abs/2308.05787, equation 8 and
    table 3e; `b_avgpool` of class `TAda2DBlock` in
    module_zoo/branches/tada_branch.py of alibaba-mmai-research/TAdaConv.
  """
  shape_checks.frames(x)
  if size < 1 or size % 2 == 0:
    raise ValueError(f"size must be odd and positive, got {size}.")
  check_at_least("stride", stride, 1)
  check_choice("kind", kind, KINDS)
  pooled = []
  if kind != "max":
    pooled.append(sum(neighbours(x, size)) / size)
  if kind != "average":
    views = neighbours(x, size, outside=-jnp.inf)
    pooled.append(functools.reduce(jnp.maximum, views))
  return sum(pooled)[:, ::stride]
