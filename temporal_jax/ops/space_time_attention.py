"""Attention patterns over space and time."""

import jax

from temporal_jax.ops.attention import attention
from temporal_jax.ops.lowering.join_axes import join_axes


def spatial_attention(q: jax.Array, k: jax.Array, v: jax.Array) -> jax.Array:
  """Attends within every frame.

  Costs O(T N^2) products.

  Args:
    q: Queries (B, T, N, M, d), floating point: N tokens per frame, M heads of d
      channels.
    k: Keys (B, T, N', M, d).
    v: Values (B, T, N', M, d').

  Returns:
    Tokens (B, T, N, M, d') in the dtype of `q`.

  Raises:
    ValueError: If the shapes do not fit, or an array is not floating point.

  Source: Bertasius et al. 2021, https://arxiv.org/abs/2102.05095, equation 6.
  """
  check_heads(q, k, v)
  return attention(q, k, v)


def temporal_attention(q: jax.Array, k: jax.Array, v: jax.Array) -> jax.Array:
  """Attends from every token to those at the same place of all frames.

  Costs O(T^2 N) products.

  Args:
    q: Queries (B, T, N, M, d), floating point: N tokens per frame, M heads of d
      channels.
    k: Keys (B, T', N, M, d).
    v: Values (B, T', N, M, d').

  Returns:
    Tokens (B, T, N, M, d') in the dtype of `q`.

  Raises:
    ValueError: If the shapes do not fit, or an array is not floating point.

  Source: Bertasius et al. 2021, https://arxiv.org/abs/2102.05095, equation 11.
  """
  check_heads(q, k, v)
  # A kernel for TPU wants the frames of a place next to each other.
  return jax.lax.platform_dependent(q, k, v, tpu=_over_places, default=_over_heads)


def _over_places(q: jax.Array, k: jax.Array, v: jax.Array) -> jax.Array:
  """Attends over time, places before frames, heads joined while they move."""

  def move(x):
    flat = join_axes(x, 3).swapaxes(1, 2)
    return flat.reshape(*flat.shape[:3], *x.shape[3:])  # Axes 1 and 2 are swapped.

  return move(attention(*(move(x) for x in (q, k, v))))


def _over_heads(q: jax.Array, k: jax.Array, v: jax.Array) -> jax.Array:
  """Attends over time without a transpose: all places are heads of a clip."""
  out = attention(*(join_axes(x, 2, -1) for x in (q, k, v)))
  return out.reshape(*q.shape[:-1], v.shape[-1])  # (B, T, N, M, d')


def joint_attention(q: jax.Array, k: jax.Array, v: jax.Array) -> jax.Array:
  """Attends from every token to all tokens of all frames.

  Costs O(T^2 N^2) products.

  Args:
    q: Queries (B, T, N, M, d), floating point: N tokens per frame, M heads of d
      channels.
    k: Keys (B, T', N', M, d).
    v: Values (B, T', N', M, d').

  Returns:
    Tokens (B, T, N, M, d') in the dtype of `q`.

  Raises:
    ValueError: If the shapes do not fit, or an array is not floating point.

  Source: Bertasius et al. 2021, https://arxiv.org/abs/2102.05095, equation 5.
  """
  check_heads(q, k, v)
  out = attention(*(join_axes(x, 1, -2) for x in (q, k, v)))
  return out.reshape(*q.shape[:-1], v.shape[-1])  # (B, T, N, M, d')


def check_heads(*arrays: jax.Array) -> None:
  """Raises ValueError unless all arrays are (B, T, N, M, d)."""
  if any(x.ndim != 5 for x in arrays):
    shapes = ", ".join(str(x.shape) for x in arrays)
    raise ValueError(f"q, k and v must be (B, T, N, M, d), got {shapes}.")
