"""Consensus: one prediction for a clip from its frames' predictions."""

import jax
import jax.numpy as jnp

from temporal_jax.ops.lowering.accumulation_dtype import wide_dtype


def average_consensus(x: jax.Array) -> jax.Array:
  """Averages over the frames.

  Args:
    x: Logits or features of every frame (B, T, L), floating point.

  Returns:
    Logits or features of the clip (B, L), in the dtype of `x`; the sum is
    float32 at least.

  Raises:
    ValueError: If `x` is not floating point (B, T, L).

  Source: Wang et al. 2016, https://arxiv.org/abs/1608.00859, section 3.1.
  """
  if x.ndim != 3 or not jnp.issubdtype(x.dtype, jnp.floating):
    raise ValueError(f"x must be floating point (B, T, L), got {x.dtype} {x.shape}.")
  return jnp.mean(x, axis=1, dtype=wide_dtype(x)).astype(x.dtype)
