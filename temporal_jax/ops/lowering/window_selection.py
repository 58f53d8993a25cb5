"""Windows of places, out of the products of a tile with all that it covers.

A tile of I x J places covers the rows and columns that the windows of side P
around them reach, I + P - 1 and J + P - 1. All functions return the same.
"""

import jax
import jax.numpy as jnp
import numpy as np

from temporal_jax.ops.lowering.join_axes import join_axes


def by_gather(products: jax.Array, window: int) -> jax.Array:
  """Selects by index.

  For CPU.

  Args:
    products: Products (..., I, J, I + P - 1, J + P - 1).
    window: Side of the windows, P.

  Returns:
    Windows (..., I, J, P P): place (u, v) of that of (i, j) is
    products[..., i, j, i + u, j + v].
  """
  tile = products.shape[-4:-2]
  places = _window_places(*tile, window)
  picked = (
    join_axes(products, -4)
    .at[..., places.reshape(-1)]
    .get(unique_indices=True, mode="promise_in_bounds")
  )
  return picked.reshape(*products.shape[:-4], *tile, window**2)


def by_slices(products: jax.Array, window: int) -> jax.Array:
  """Selects by slices of the products as one row, whose gradients are pads.

  In that row windows of neighbouring columns are J' I' + 1 apart, for the I'
  rows and J' columns covered; so rows of that length have one window each, at
  their beginning.

  For GPU, where it is fused into one kernel: it moves half the bytes that a
  gather moves, and less than half with its gradient, by estimate.

  Args:
    products: See `by_gather`.
    window: See `by_gather`.

  Returns:
    See `by_gather`.
  """
  *lead, rows, columns, height, width = products.shape
  ends = [(0, 0)] * len(lead)
  row = jnp.pad(join_axes(products, -4), [*ends, (0, rows * width)])
  row = row.reshape(*lead, rows, columns * height * width + width)
  row = row[..., : columns * (height * width + 1)]
  row = row.reshape(*lead, rows, columns, height * width + 1)
  row = row[..., : window * width]
  windows = row.reshape(*lead, rows, columns, window, width)[..., :window]
  return join_axes(windows, -2)


def by_product(products: jax.Array, window: int) -> jax.Array:
  """Selects by a product with ones and zeros, one matrix for each place.

  For TPU, whose matrix units are faster than its memory.

  Args:
    products: See `by_gather`.
    window: See `by_gather`.

  Returns:
    See `by_gather`; the places are the first axes in memory.
  """
  *lead, rows, columns, height, width = products.shape
  places = _window_places(rows, columns, window) % (height * width)
  one_hot = places.reshape(rows * columns, 1, -1) == np.arange(height * width)[:, None]
  flat = products.reshape(*lead, rows * columns, height * width)
  # In float32 too every window is the product to its last digit.
  picked = jnp.einsum(
    "n...q,nqd->n...d",
    jnp.moveaxis(flat, -2, 0),
    jnp.asarray(one_hot, products.dtype),
    precision=jax.lax.Precision.HIGHEST,
  )
  return jnp.moveaxis(picked, 0, -2).reshape(*lead, rows, columns, window**2)


def _window_places(rows: int, columns: int, window: int) -> np.ndarray:
  """Returns the places of the windows in a tile's products, (I, J, P, P)."""
  height, width = rows + window - 1, columns + window - 1
  i, j, u, v = np.ogrid[:rows, :columns, :window, :window]
  return ((i * columns + j) * height + i + u) * width + j + v
