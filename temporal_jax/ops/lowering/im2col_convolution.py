"""Convolution of frames as a matrix product over patches."""

import math

import jax
import jax.numpy as jnp

from temporal_jax.ops.lowering import chunked_map
from temporal_jax.ops.lowering.device_variance import vary_together
from temporal_jax.ops.lowering.join_axes import join_axes

_CHUNK = 2**21  # Most numbers in the patches that are multiplied at a time.


def convolve(
  x: jax.Array,
  kernel: jax.Array,
  *,
  stride: int,
  padding: int,
  dilation: int,
  groups: int,
) -> jax.Array:
  """Convolves frames (N, H, W, C) with (KH, KW, C / groups, C')."""
  rows, columns, channels, features = kernel.shape
  frames = x.shape[0]
  x = x.reshape(*x.shape[:-1], groups, channels)  # (N, H, W, G, C / G)
  x = join_axes(jnp.moveaxis(x, -2, 0), 0, 2)  # (G N, H, W, C / G)
  patches = _patches(x, rows, columns, stride, padding, dilation)
  size = patches.shape[1:3]
  taps = rows * columns * channels
  # (G, taps, C' / G)
  kernel = kernel.reshape(taps, groups, features // groups).swapaxes(0, 1)
  places = frames * math.prod(size)
  out = patches.reshape(groups, places, taps) @ kernel  # (G, N H' W', C' / G)
  # (N, H', W', G, C' / G)
  out = jnp.moveaxis(out.reshape(groups, frames, *size, out.shape[-1]), 0, -2)
  return out.reshape(*out.shape[:-2], features)


def kernel_gradient(
  x: jax.Array,
  gradient: jax.Array,
  *,
  size: tuple[int, int],
  stride: int,
  padding: int,
  dilation: int,
) -> jax.Array:
  """Returns the gradient (KH, KW, C, C') of the kernel of a convolution.

  Frames are taken a few at a time, so that their patches stay in the cache.
  `x` is (N, H, W, C) and `gradient` (N, H', W', C').
  """
  (rows, columns), channels, features = size, x.shape[-1], gradient.shape[-1]

  def add_chunk(total, chunk):
    x, gradient = chunk
    patches = _patches(x, rows, columns, stride, padding, dilation)
    patches = join_axes(patches, 0, -1)
    # This way round the product is faster.
    return total + join_axes(gradient, 0, -1).T @ patches, None

  sizes = (features, rows * columns * channels)
  zeros, _, _ = vary_together(jnp.zeros(sizes, x.dtype), x, gradient)
  numbers = math.prod(gradient.shape[1:3]) * rows * columns * channels
  frames = chunked_map.divide(x, gradient, numbers=numbers, most=_CHUNK)
  total, _ = jax.lax.scan(add_chunk, zeros, frames)
  # From (C', taps) to (KH, KW, C, C').
  return total.T.reshape(rows, columns, channels, features)


def _patches(
  x: jax.Array,
  rows: int,
  columns: int,
  stride: int,
  padding: int,
  dilation: int,
) -> jax.Array:
  """Returns the kernel's input at each place, (N, H', W', KH KW C)."""
  if padding == 0 and x.shape[1:3] == (rows, columns) and dilation == 1:
    return join_axes(x, 1)[:, None, None]  # The map itself.
  sides = (padding, padding)
  x = jnp.pad(x, ((0, 0), sides, sides, (0, 0)))
  height = x.shape[1] - dilation * (rows - 1)
  width = x.shape[2] - dilation * (columns - 1)
  return jnp.concatenate(
    [
      x[:, i : i + height : stride, j : j + width : stride]
      for i in range(0, dilation * rows, dilation)
      for j in range(0, dilation * columns, dilation)
    ],
    axis=-1,
  )
