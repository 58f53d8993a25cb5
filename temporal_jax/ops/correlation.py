"""Local correlation: similarity of places with places of other frames."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from temporal_jax.ops import shape_checks
from temporal_jax.ops.lowering import window_selection
from temporal_jax.ops.lowering.accumulation_dtype import wide_dtype, widen
from temporal_jax.ops.lowering.join_axes import join_axes
from temporal_jax.ops.neighbouring_frames import anchor_frames, context_frames
from temporal_jax.ops.temporal_convolution import neighbours

_EPSILON = 1e-6  # Added to the squared length of a feature.
_TILE = 7  # Largest side of a tile; measured at 14 x 14 and at 28 x 28.


def temporal_correlation(
  x: jax.Array, *, length: int = 5, window: int = 9
) -> jax.Array:
  """Compares every place with the places around it in the frames around it.

  out[:, t, h, w, l, u, v] =
    cos(x[:, t, h, w], x[:, t + l - L // 2, h + u - P // 2, w + v - P // 2])

  cos(a, b) = a . b / sqrt((|a|^2 + 1e-6) (|b|^2 + 1e-6)). Outside the clip and
  outside the frame it is zero. For L = 1 the anchor is the frame before:
  cos(x[:, t - 1, h, w], x[:, t, ...]), and the first frame itself at t = 0.

  The map is cut into tiles. The places of each are multiplied with all that
  their windows cover together, and each picks its own window of the products.

  Args:
    x: Features (B, T, H, W, C), floating point; lengths are taken in float32 at
      least.
    length: Frames looked at, L; odd.
    window: Side of the window, P, in pixels; odd.

  Returns:
    Similarities (B, T, H, W, L, P, P) in [-1, 1], in the dtype of `x`.

  Raises:
    ValueError: If `x` is not floating point of rank 5, or `length` or `window`
      is not odd.

  Source: Wu et al. 2023, https://arxiv.org/abs/2307.08908; class `SimTransform`
    in modules/ATM.py of whwu95/ATM.
  """
  shape_checks.video(x)
  shape_checks.odd("length", length)
  shape_checks.odd("window", window)
  unit = _unit_vectors(x)
  sizes = {"length": length, "window": window}
  at_once = functools.partial(compare_at_once, **sizes)
  windows = jax.lax.platform_dependent(
    unit,
    cpu=functools.partial(at_once, select=window_selection.by_gather),
    tpu=functools.partial(compare_by_context, **sizes),
    default=functools.partial(at_once, select=window_selection.by_slices),
  )
  return windows.reshape(*windows.shape[:-1], window, window)


def compare_at_once(
  unit: jax.Array,
  *,
  length: int,
  window: int,
  select: Callable[[jax.Array, int], jax.Array],
) -> jax.Array:
  """Multiplies every frame with all frames that it is a context of.

  Stacked, they make few large products instead of many small.

  Args:
    unit: Unit vectors (B, T, H, W, C).
    length: Frames looked at, L.
    window: Side of the window, P.
    select: Function of `window_selection`.

  Returns:
    Similarities (B, T, H, W, L, P P).
  """
  tiling = _Tiling.of(unit)
  # Frame s is a context of the frames s + L // 2, ..., s - L // 2, in the order
  # of their l.
  anchors = anchor_frames(unit, length=length)
  anchors = context_frames(anchors, length=length)[:, :, ::-1]
  # (B, T, I, J, L, rows columns, C) for I x J tiles
  anchors = jnp.moveaxis(tiling.places(anchors), 2, 4)
  covered = tiling.places(unit, border=window // 2)
  products = jnp.einsum(
    "btijac,btijqc->btijaq",
    join_axes(anchors, 4, 6),
    covered,
    preferred_element_type=wide_dtype(unit),
  )
  # (B, T, I, J, L, rows, columns, covered rows, covered columns)
  products = products.reshape(*anchors.shape[:5], *tiling.shape(window))
  picked = select(products, window).astype(unit.dtype)
  picked = tiling.join(jnp.moveaxis(picked, 4, 6))  # (B, T, H, W, L, P P)
  # From the context frame's place in time to the anchor's.
  moved = neighbours(picked, length)
  return jnp.stack([moved[i][:, :, :, :, i] for i in range(length)], axis=4)


def compare_by_context(unit: jax.Array, *, length: int, window: int) -> jax.Array:
  """Multiplies every frame with its contexts one by one.

  For TPU: the products of one context fit the memory on the chip, and a window
  is one axis. With gradients, maps of 14 x 14 take 0.7 ms instead of the 10 ms
  of a gather, those of 28 x 28 2.5 ms instead of 40 ms, on a v5e by estimate.

  Args:
    unit: See `compare_at_once`.
    length: See `compare_at_once`.
    window: See `compare_at_once`.

  Returns:
    See `compare_at_once`.
  """
  tiling = _Tiling.of(unit)
  anchors = tiling.places(anchor_frames(unit, length=length))
  covered = tiling.places(unit, border=window // 2)

  def compare(context):
    products = jnp.einsum("btijac,btijqc->btijaq", anchors, context)
    products = products.reshape(*anchors.shape[:4], *tiling.shape(window))
    return tiling.join(window_selection.by_product(products, window))

  contexts = neighbours(covered, length)
  windows = jnp.stack([compare(context) for context in contexts], axis=4)
  # Else all of this takes place with P x P windows as last axes, which the
  # memory pads to 16 x 128.
  return jax.lax.optimization_barrier(windows)


def _unit_vectors(x: jax.Array) -> jax.Array:
  """Divides features by their length, nearly: none is divided by zero."""
  values = widen(x)
  square = jnp.sum(values * values, axis=-1, keepdims=True)
  return (values * jax.lax.rsqrt(square + _EPSILON)).astype(x.dtype)


class _Tiling(NamedTuple):
  """Cuts maps into equal tiles, the last of which may stick out.

  Attributes:
    height: Rows of the maps.
    width: Columns of the maps.
    rows: Rows of a tile.
    columns: Columns of a tile.
  """

  height: int
  width: int
  rows: int
  columns: int

  @classmethod
  def of(cls, x: jax.Array) -> "_Tiling":
    """Returns the tiling of maps (..., H, W, C)."""
    sides = x.shape[-3:-1]
    return cls(*sides, *(-(-side // -(-side // _TILE)) for side in sides))

  def shape(self, window: int) -> tuple[int, int, int, int]:
    """Returns rows and columns of a tile, and of what its windows cover."""
    covered = self.rows + window - 1, self.columns + window - 1
    return self.rows, self.columns, *covered

  def places(self, x: jax.Array, *, border: int = 0) -> jax.Array:
    """Cuts maps (..., H, W, C) into tiles (..., I, J, rows columns, C).

    With a border every tile also has that much of its neighbours, or zeros.
    """
    for axis, size, side in (
      (-3, self.height, self.rows),
      (-2, self.width, self.columns),
    ):
      count = -(-size // side)
      sides = [(0, 0)] * x.ndim
      sides[axis] = (border, border + count * side - size)
      padded = jnp.pad(x, sides)
      parts = [
        jax.lax.slice_in_dim(padded, i, i + side + 2 * border, axis=axis)
        for i in range(0, count * side, side)
      ]
      x = jnp.stack(parts, axis=-4)
    return join_axes(x, -3, -1)

  def join(self, tiles: jax.Array) -> jax.Array:
    """Joins tiles (B, T, I, J, rows, columns, ...) to (B, T, H, W, ...)."""
    tiles = tiles.swapaxes(3, 4)  # (B, T, I, rows, J, columns, ...)
    maps = join_axes(join_axes(tiles, 4, 6), 2, 4)
    return maps[:, :, : self.height, : self.width]
