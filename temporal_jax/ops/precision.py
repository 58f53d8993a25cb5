"""The dtype of sums, of lengths and of softmaxes."""

import jax
import jax.numpy as jnp


def wide_dtype(x: jax.Array) -> jnp.dtype:
  """Returns float32 for floating point of fewer bits, else the dtype of `x`."""
  return x.dtype if x.dtype.itemsize >= 4 else jnp.dtype(jnp.float32)


def widen(x: jax.Array) -> jax.Array:
  """Returns `x` in its `wide_dtype`."""
  return x.astype(wide_dtype(x))
