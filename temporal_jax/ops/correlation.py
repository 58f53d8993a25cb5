"""Local correlation: similarity of places with places of other frames."""

import jax
import jax.numpy as jnp
import numpy as np

from temporal_jax.ops import shape_checks
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
  height, width = x.shape[2:4]
  (rows, row_tiles), (columns, column_tiles) = _cut(height), _cut(width)
  unit = _unit_vectors(x)
  bottom, right = row_tiles * rows - height, column_tiles * columns - width
  unit = jnp.pad(unit, ((0, 0), (0, 0), (0, bottom), (0, right), (0, 0)))
  # Frame s is a context of the frames s + L // 2, ..., s - L // 2, in the order
  # of their l. Stacked, they make few large products instead of many small.
  anchors = anchor_frames(unit, length=length)
  anchors = context_frames(anchors, length=length)[:, :, ::-1]
  # (B, T, I, J, L, rows, columns, C) for I x J tiles
  anchors = _tiles(anchors, rows, columns).transpose(0, 1, 3, 4, 2, 5, 6, 7)
  covered = _tiles(unit, rows, columns, border=window // 2)
  tiles = covered.shape[:4]
  products = jnp.einsum(
    "btijac,btijqc->btijaq",
    join_axes(anchors, 4, -1),
    join_axes(covered, 4, -1),
    preferred_element_type=wide_dtype(x),
  )
  products = join_axes(products, 4)
  places = _window_places(rows, columns, length, window)
  picked = products.at[..., places.reshape(-1)].get(
    unique_indices=True, mode="promise_in_bounds"
  )
  # (B, T, I, J, rows, columns, L, P, P)
  picked = picked.reshape(*tiles, *places.shape).astype(x.dtype)
  picked = picked.swapaxes(3, 4)  # (B, T, I, rows, J, columns, L, P, P)
  # (B, T, H, W, L, P, P)
  picked = picked.reshape(*unit.shape[:-1], length, window, window)
  # From the context frame's place in time to the anchor's.
  moved = neighbours(picked[:, :, :height, :width], length)
  return jnp.stack([moved[i][:, :, :, :, i] for i in range(length)], axis=4)


def _unit_vectors(x: jax.Array) -> jax.Array:
  """Divides features by their length, nearly: none is divided by zero."""
  values = widen(x)
  square = jnp.sum(values * values, axis=-1, keepdims=True)
  return (values * jax.lax.rsqrt(square + _EPSILON)).astype(x.dtype)


def _cut(side: int) -> tuple[int, int]:
  """Returns the side of a tile, and how many of them cover `side` pixels."""
  count = -(-side // _TILE)
  return -(-side // count), count


def _tiles(x: jax.Array, rows: int, columns: int, *, border: int = 0) -> jax.Array:
  """Cuts maps (..., H, W, C) into tiles (..., I, J, rows, columns, C).

  With a border every tile also has that much of its neighbours, or zeros.
  """
  for axis, side in ((-3, rows), (-2, columns)):
    count = x.shape[axis] // side
    sides = [(0, 0)] * x.ndim
    sides[axis] = (border, border)
    padded = jnp.pad(x, sides)
    starts = range(0, count * side, side)
    parts = [
      jax.lax.slice_in_dim(padded, i, i + side + 2 * border, axis=axis) for i in starts
    ]
    x = jnp.stack(parts, axis=-4)
  return x


def _window_places(rows: int, columns: int, length: int, window: int) -> np.ndarray:
  """Returns the places of the windows in a tile's products, (h, w, L, P, P).

  The products have the order l, h, w and then the covered rows and columns.
  """
  height, width = rows + window - 1, columns + window - 1
  h, w, context, u, v = np.ogrid[:rows, :columns, :length, :window, :window]
  anchor = (context * rows + h) * columns + w
  return (anchor * height + h + u) * width + w + v
