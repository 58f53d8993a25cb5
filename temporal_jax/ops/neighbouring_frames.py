"""Neighbours of each frame, and the frame they are compared with."""

import jax
import jax.numpy as jnp

from temporal_jax.ops import shape_checks
from temporal_jax.ops.temporal_convolution import neighbours


def context_frames(x: jax.Array, *, length: int = 5) -> jax.Array:
  """Gathers the frames around every frame.

  out[:, t, l] = x[:, t + l - L // 2], zero outside the clip.

  Args:
    x: Features (B, T, H, W, C), floating point.
    length: Frames gathered, L; odd.

  Returns:
    Features (B, T, L, H, W, C) in the dtype of `x`.

  Raises:
    ValueError: If `x` is not floating point of rank 5, or `length` is not odd.

  Source: Wu et al. 2023, https://arxiv.org/abs/2307.08908, context spanning;
    class `DiffBlock` in modules/ATM.py of whwu95/ATM.
  """
  shape_checks.video(x)
  shape_checks.odd("length", length)
  return jnp.stack(neighbours(x, length), axis=2)


def anchor_frames(x: jax.Array, *, length: int = 5) -> jax.Array:
  """Returns the frames that `context_frames` are compared with.

  That is each frame itself. Where it would be its own only context, `length` 1,
  it is the frame before; the first frame stays its own.

  Args:
    x: Features (B, T, H, W, C), floating point.
    length: Context frames, L; odd.

  Returns:
    Features in the shape and dtype of `x`.

  Raises:
    ValueError: As `context_frames`.

  Source: as `context_frames`.
  """
  shape_checks.video(x)
  shape_checks.odd("length", length)
  if length > 1:
    return x
  return jnp.concatenate([x[:, :1], x[:, :-1]], axis=1)
