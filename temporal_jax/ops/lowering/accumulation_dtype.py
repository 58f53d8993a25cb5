"""The dtype of sums, of lengths and of softmaxes."""

import jax
import jax.numpy as jnp


def wide_dtype(x: jax.Array, dtype: jax.typing.DTypeLike = jnp.float32) -> jnp.dtype:
  """Returns the dtype with the most bits: `x`'s, `dtype` or float32.

  Unlike `jnp.promote_types` it works where promotion is strict.
  """
  known = (jnp.dtype(jnp.float32), jnp.dtype(dtype), x.dtype)
  return max(known, key=lambda one: one.itemsize)


def widen(x: jax.Array, dtype: jax.typing.DTypeLike = jnp.float32) -> jax.Array:
  """Returns `x` in its `wide_dtype`."""
  return x.astype(wide_dtype(x, dtype))
