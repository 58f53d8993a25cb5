"""Convolution along time, as a sum of shifted products."""

import functools

import jax
import jax.numpy as jnp

from temporal_jax.ops import checks, fusion


def temporal_convolution(
  x: jax.Array, kernel: jax.Array, *, stride: int = 1
) -> jax.Array:
  """Convolves along time, all channels into all channels.

  out[:, t] = sum_k x[:, stride t + k - K // 2] @ kernel[k]

  Frames outside the clip count as zero.

  Args:
    x: Features (B, T, ..., C), floating point.
    kernel: Weights (K, C, C'). K is odd, in frames.
    stride: Step over time, in frames.

  Returns:
    Features (B, ceil(T / stride), ..., C'), in the dtype of `x`.

  Raises:
    ValueError: If `x` is not floating point (B, T, ..., C), or `kernel` is not
      (odd K, C of `x`, C').
  """
  checks.frames(x)
  if kernel.ndim != 3 or kernel.shape[0] % 2 == 0:
    raise ValueError(f"kernel must be (odd K, C, C'), got {kernel.shape}.")
  checks.same_channels(x, kernel, axis=1)
  kernel = kernel.astype(x.dtype)
  views = neighbours(x, len(kernel), stride=stride)
  taps = zip(views, kernel, strict=True)
  return sum(frames @ weights for frames, weights in taps)


def depthwise_temporal_convolution(
  x: jax.Array, kernel: jax.Array
) -> jax.Array:
  """Convolves along time, each channel by itself.

  out[:, t, ..., c] = sum_k kernel[k, c] * x[:, t + k - K // 2, ..., c]

  Frames outside the clip count as zero.

  Args:
    x: Features (B, T, ..., C), floating point.
    kernel: Weights (K, C). K is odd, in frames.

  Returns:
    Features in the shape and dtype of `x`.

  Raises:
    ValueError: If `x` is not floating point (B, T, ..., C), or `kernel` is not
      (odd K, C of `x`).
  """
  checks.frames(x)
  if kernel.ndim != 2 or kernel.shape[0] % 2 == 0:
    raise ValueError(f"kernel must be (odd K, C), got shape {kernel.shape}.")
  checks.same_channels(x, kernel, axis=1)
  kernel = kernel.astype(x.dtype)
  weights = kernel.reshape(len(kernel), *[1] * (x.ndim - 1), -1)

  def convolve(x):
    taps = zip(neighbours(x, len(kernel)), weights, strict=True)
    return sum(frames * weight for frames, weight in taps)

  return jax.lax.platform_dependent(
    x, cpu=functools.partial(fusion.apart, convolve), default=convolve
  )


def neighbours(
  x: jax.Array, taps: int, *, stride: int = 1, outside: float = 0.0
) -> list[jax.Array]:
  """Returns `x` moved along axis 1 by taps // 2 ... -(taps // 2) frames.

  Element k holds at place t the frame stride t + k - taps // 2, or `outside`.
  """
  reach = taps // 2
  views = (move(x, reach - k, outside=outside) for k in range(taps))
  return [view if stride == 1 else view[:, ::stride] for view in views]


def move(x: jax.Array, frames: int, *, outside: float = 0.0) -> jax.Array:
  """Moves `x` later by `frames` along axis 1, filling with `outside`.

  A pad with a negative side, which XLA computes where it is used: a padded
  copy of `x` never exists.
  """
  frames = max(-x.shape[1], min(frames, x.shape[1]))
  sides = [(0, 0, 0)] * x.ndim
  sides[1] = (frames, -frames, 0)
  return jax.lax.pad(x, jnp.asarray(outside, x.dtype), sides)
