"""Broadcasting a vector of channels, made explicit."""

import jax


def along_channels(vector: jax.Array, x: jax.Array) -> jax.Array:
  """Returns `vector` (C,) with the rank and dtype of `x` (..., C)."""
  # (1, ..., 1, C)
  return vector.astype(x.dtype).reshape(*[1] * (x.ndim - 1), vector.shape[0])
