"""Lengths and overlaps of segments."""

import jax
import jax.numpy as jnp


def shared_length(one: jax.Array, other: jax.Array) -> jax.Array:
  """Returns the length that segments (..., 2) have in common, (...)."""
  start = jnp.maximum(one[..., 0], other[..., 0])
  end = jnp.minimum(one[..., 1], other[..., 1])
  return jnp.maximum(end - start, 0)


def segment_length(segments: jax.Array) -> jax.Array:
  """Returns the lengths of segments (..., 2)."""
  return segments[..., 1] - segments[..., 0]
