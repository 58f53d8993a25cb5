"""Attention of a few tokens, such as the frames at one place, in many heads.

Matrices as small as T x T cost more to arrange than to multiply. So the values
are not arranged: weighted sums are sums of products of whole arrays.
"""

import jax
import jax.numpy as jnp

from temporal_jax.ops.lowering.accumulation_dtype import widen


def few_attention(
  q: jax.Array,
  k: jax.Array,
  v: jax.Array,
  mask: jax.Array | None = None,
  *,
  scale: float,
) -> jax.Array:
  """Returns softmax(q k^T scale) v for every head.

  Args:
    q: Queries (B, N, M, d): N tokens, M heads of d channels.
    k: Keys (B, N', M, d).
    v: Values (B, N', M, d').
    mask: True where a query may look, (B, M, N, N').
    scale: Factor of the products.

  Returns:
    Tokens (B, N, M, d') in the dtype of `q`.
  """
  wide = (widen(x) for x in (q * jnp.asarray(scale, q.dtype), k, v))
  return _attend(*wide, mask).astype(q.dtype)


def summed_attention(
  q: jax.Array,
  k: jax.Array,
  v: jax.Array,
  mask: jax.Array | None = None,
  *,
  scale: float,
) -> jax.Array:
  """Returns the result of `few_attention`, both products as sums, for TPU.

  A matrix unit takes whole tiles of rows, of which frames fill few, and XLA
  pads queries, keys and values to them. On a v5e attention over 8 frames of 14
  x 14 places takes 618 us with gradients instead of 1665 by estimate, over 16
  frames 857 instead of 1589; over 32 frames nothing is won.

  Args:
    q: Queries (B, N, M, d): N tokens, M heads of d channels.
    k: Keys (B, N', M, d).
    v: Values (B, N', M, d').
    mask: True where a query may look, (B, M, N, N').
    scale: Factor of the products.
  """
  queries, keys, values = (widen(x) for x in (q, k, v))
  # (B, N, N', M)
  scores = jnp.sum(queries[:, :, None] * keys[:, None], axis=-1) * scale
  if mask is not None:
    mask = jnp.moveaxis(mask, 1, 3)
    scores = jnp.where(mask, scores, jnp.finfo(scores.dtype).min)
  weights = jax.nn.softmax(scores, axis=2)[..., None]
  return jnp.sum(weights * values[:, None], axis=2).astype(q.dtype)


@jax.custom_vjp
def _attend(
  q: jax.Array, k: jax.Array, v: jax.Array, mask: jax.Array | None
) -> jax.Array:
  return _forward(q, k, v, mask)[0]


def _forward(
  q: jax.Array, k: jax.Array, v: jax.Array, mask: jax.Array | None
) -> tuple[jax.Array, tuple[jax.Array, ...]]:
  """Returns the result, and the residuals of the gradients."""
  scores = _products(q, k)
  if mask is not None:
    scores = jnp.where(mask, scores, jnp.finfo(scores.dtype).min)
  weights = jax.nn.softmax(scores)
  return _weighted_sums(weights, v), (q, k, v, weights)


def _backward(
  saved: tuple[jax.Array, ...], gradient: jax.Array
) -> tuple[jax.Array, jax.Array, jax.Array, None]:
  """Returns the gradients of queries, keys and values."""
  q, k, v, weights = saved
  of_weights = weights * _products(gradient, v)
  scores = of_weights - weights * of_weights.sum(axis=-1, keepdims=True)
  return (
    _weighted_sums(scores, k),
    _weighted_sums(scores.swapaxes(-1, -2), q),  # (..., keys, queries)
    _weighted_sums(weights.swapaxes(-1, -2), gradient),
    None,
  )


_attend.defvjp(_forward, _backward)


def _products(x: jax.Array, y: jax.Array) -> jax.Array:
  """Returns every x (B, N, M, d) times every y (B, N', M, d): (B, M, N, N')."""
  return jnp.einsum("bnmd,bkmd->bmnk", x, y)


def _weighted_sums(weights: jax.Array, x: jax.Array) -> jax.Array:
  """Returns (B, N, M, d), from weights (B, M, N, N') and x (B, N', M, d)."""
  weights = jnp.moveaxis(weights, 1, 3)[..., None]
  # Spelled out, for XLA does not vectorise a sum over a middle axis.
  return sum(weights[:, :, i] * x[:, None, i] for i in range(x.shape[1]))
