"""L2 normalisation of vectors."""

import jax
import jax.numpy as jnp

from temporal_jax.ops.lowering.accumulation_dtype import widen

_SHORTEST = 1e-12  # Vectors below this length stay shorter than 1.


def l2_normalize(x: jax.Array) -> jax.Array:
  """Returns x / max(|x|, 1e-12), with a gradient that is finite at 0 too.

  Args:
    x: Vectors (..., D), floating point; lengths are taken in float32 at
      least.

  Returns:
    Vectors in the shape and dtype of `x`.

  Raises:
    ValueError: If `x` is not floating point (..., D).

  Source: function `normalize` in torch/nn/functional.py of pytorch/pytorch.
  """
  if x.ndim < 1 or not jnp.issubdtype(x.dtype, jnp.floating):
    raise ValueError(f"x must be floating point (..., D), got {x.dtype} {x.shape}.")
  values = widen(x)
  square = jnp.sum(values * values, axis=-1, keepdims=True)
  inverse = jax.lax.rsqrt(jnp.maximum(square, _SHORTEST**2))
  return (values * inverse).astype(x.dtype)
