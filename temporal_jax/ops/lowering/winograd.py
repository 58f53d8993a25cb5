"""Convolution of frames with 3 x 3 taps by Winograd's minimal filtering.

For CPU, where XLA's own convolution takes up to twice as long. A tile of 2 x 2
outputs costs 16 products for each pair of channels instead of 36:

  tile = A ((G kernel G^T) * (B window B^T)) A^T

with the matrices of F(2 x 2, 3 x 3), whose elements are 0, 1, -1 and a half, so
that no digits are lost. The products over channels are 16 matrix products. A
few frames are transformed at a time: their tiles stay in the cache, and memory
does not grow with the clip.

Source: Lavin and Gray 2015, https://arxiv.org/abs/1509.09308, section 4.1.
"""

import functools
import math
from collections.abc import Sequence

import jax
import jax.numpy as jnp

from temporal_jax.ops.lowering import chunked_map, materialize
from temporal_jax.ops.lowering.device_variance import vary_together
from temporal_jax.ops.lowering.join_axes import join_axes

Grid = Sequence[Sequence[jax.Array]]
Matrix = Sequence[Sequence[float]]

_A = ((1, 1, 1, 0), (0, 1, -1, -1))
_B = ((1, 0, -1, 0), (0, 1, 1, 0), (0, -1, 1, 0), (0, 1, 0, -1))
_G = ((1, 0, 0), (0.5, 0.5, 0.5), (0.5, -0.5, 0.5), (0, 0, 1))
_CHUNK = 2**19  # Most numbers in the frames that are transformed at a time.


# Compiled on their own, so that blocks of one shape are traced once.
_traced_once = functools.partial(jax.jit, static_argnames="padding")


@_traced_once
def convolve(x: jax.Array, kernel: jax.Array, *, padding: int) -> jax.Array:
  """Convolves frames (N, H, W, C) with (3, 3, C, C'), padded by 0 to 2."""
  size = tuple(side + 2 * padding - 2 for side in x.shape[1:3])
  factors = _transform(_G, kernel)

  def convolve_chunk(x):
    windows = _transform(_B, _windows(x, padding))
    # One by one: XLA is slow to join them, and runs two products at once.
    tiles = [
      [window @ factor for window, factor in zip(*rows, strict=True)]
      for rows in zip(windows, factors, strict=True)
    ]
    return _join(_transform(_A, tiles), size)

  numbers = math.prod(size) * max(kernel.shape[2:])
  (frames,) = chunked_map.divide(x, numbers=numbers, most=_CHUNK)
  out = jax.lax.map(convolve_chunk, frames)
  return join_axes(out, 0, 2)


@_traced_once
def kernel_gradient(x: jax.Array, gradient: jax.Array, *, padding: int) -> jax.Array:
  """Returns the gradient (3, 3, C, C') of the kernel of `convolve`."""
  channels, features = x.shape[-1], gradient.shape[-1]

  def add_chunk(totals, chunk):
    x, gradient = chunk
    windows = materialize.apart(lambda x: _transform(_B, _windows(x, padding)), x)
    tiles = _transform(_transposed(_A), _split(gradient))
    totals = [
      [
        total + _turned(window) @ join_axes(tile, 0, -1)
        for total, window, tile in zip(*rows, strict=True)
      ]
      for rows in zip(totals, windows, tiles, strict=True)
    ]
    return totals, None

  zero = jnp.zeros((channels, features), x.dtype)
  zero, _, _ = vary_together(zero, x, gradient)
  zeros = [[zero] * 4] * 4
  numbers = math.prod(gradient.shape[1:3]) * max(channels, features)
  frames = chunked_map.divide(x, gradient, numbers=numbers, most=_CHUNK)
  totals, _ = jax.lax.scan(add_chunk, zeros, frames)
  rows = _transform(_transposed(_G), totals)
  return jnp.stack([jnp.stack(row) for row in rows])


def _turned(x: jax.Array) -> jax.Array:
  """Returns maps (..., C) as a matrix (C, ...) in memory.

  XLA multiplies it more than twice as fast as the one that is read by columns,
  which it takes instead unless there is a barrier between.
  """
  matrix = join_axes(x, 0, -1).T
  return jax.lax.optimization_barrier(matrix)


def _windows(x: jax.Array, padding: int) -> Grid:
  """Returns the 4 x 4 pixels that tiles see, each (N, H' / 2, W' / 2, C)."""
  tiles = [-(-(side + 2 * padding - 2) // 2) for side in x.shape[1:3]]
  rows, columns = (
    (padding, 2 * count + 2 - padding - side)
    for count, side in zip(tiles, x.shape[1:3], strict=True)
  )
  x = jnp.pad(x, ((0, 0), rows, columns, (0, 0)))
  return [
    [x[:, i : i + 2 * tiles[0] - 1 : 2, j : j + 2 * tiles[1] - 1 : 2] for j in range(4)]
    for i in range(4)
  ]


def _split(x: jax.Array) -> Grid:
  """Returns the 2 x 2 pixels of every tile of maps (N, H, W, C)."""
  x = jnp.pad(x, ((0, 0), (0, x.shape[1] % 2), (0, x.shape[2] % 2), (0, 0)))
  return [[x[:, i::2, j::2] for j in range(2)] for i in range(2)]


def _join(tiles: Grid, size: tuple[int, int]) -> jax.Array:
  """Undoes `_split`, for maps of a size."""
  x = jnp.stack([jnp.stack(row, axis=3) for row in tiles], axis=2)
  # From (N, I, 2, J, 2, C) to (N, 2 I, 2 J, C).
  x = x.reshape(x.shape[0], 2 * x.shape[1], 2 * x.shape[3], x.shape[-1])
  return x[:, : size[0], : size[1]]


def _transform(matrix: Matrix, grid: Grid | jax.Array) -> Grid:
  """Returns matrix grid matrix^T, by additions."""
  columns = range(len(grid[0]))
  half = [
    [_combine(row, [line[j] for line in grid]) for j in columns] for row in matrix
  ]
  return [[_combine(row, line) for row in matrix] for line in half]


def _combine(factors: Sequence[float], terms: Sequence[jax.Array]) -> jax.Array:
  """Returns the sum of factors times terms, without those that are 0."""
  products = (
    term if factor == 1 else -term if factor == -1 else factor * term
    for factor, term in zip(factors, terms, strict=True)
    if factor
  )
  return sum(products)


def _transposed(matrix: Matrix) -> Matrix:
  return tuple(zip(*matrix, strict=True))
