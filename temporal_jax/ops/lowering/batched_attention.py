"""Attention as products of matrices, the heads of all clips on one axis."""

import jax
import jax.numpy as jnp

from temporal_jax.ops.lowering.accumulation_dtype import wide_dtype
from temporal_jax.ops.lowering.chunked_map import divide
from temporal_jax.ops.lowering.join_axes import join_axes

# Heads with more scores in all than a cache holds, 4 MB, are computed in turns
# of so many, unless a head has fewer than 256 x 256: then the copies that turns
# need take more memory than the scores. Measured with 197 to 1568 tokens of 12
# heads: `python -m benchmarks.networks dinov2_b14 videomae_b16`.
_MOST = 2**20
_FEWEST = 2**16


def _product(equation: str, x: jax.Array, y: jax.Array) -> jax.Array:
  """Returns einsum of two arrays of one dtype, in float32 at least."""
  return jnp.einsum(equation, x, y, preferred_element_type=wide_dtype(x))


def flat_attention(
  q: jax.Array,
  k: jax.Array,
  v: jax.Array,
  mask: jax.Array | None = None,
  *,
  scale: float,
) -> jax.Array:
  """Returns softmax(q k^T scale) v for every head.

  The scale is folded into q, and the sums of a row divide after the product
  with the values.

  Args:
    q: Queries (B, N, M, d): N tokens, M heads of d channels.
    k: Keys (B, N', M, d).
    v: Values (B, N', M, d').
    mask: True where a query may look, (B, M, N, N').
    scale: Factor of the products.

  Returns:
    Tokens (B, N, M, d') in the dtype of `q`.
  """
  batch, heads = q.shape[0], q.shape[2]
  q, k, v = (
    x.swapaxes(1, 2).reshape(batch * heads, x.shape[1], x.shape[3])  # (B M, N, d)
    for x in (q * jnp.asarray(scale, q.dtype), k, v)
  )
  if mask is not None:
    mask = join_axes(mask, 0, 2)
  out = _attend(q, k, v, mask)
  return out.reshape(batch, heads, *out.shape[1:]).swapaxes(1, 2)  # (B, N, M, d')


@jax.custom_vjp
def _attend(
  q: jax.Array, k: jax.Array, v: jax.Array, mask: jax.Array | None
) -> jax.Array:
  """The same of (B M, N, d), (B M, N', d) and (B M, N', d').

  Without gradients, which need all weights, scores of many tokens are kept
  within the cache.
  """
  scores = q.shape[1] * k.shape[1]
  if scores < _FEWEST or len(q) * scores <= _MOST:
    return _forward(q, k, v, mask)[0]
  heads = (q, k, v) if mask is None else (q, k, v, mask)
  heads = divide(*heads, numbers=scores, most=_MOST)
  out = jax.lax.map(lambda few: _forward(*few)[0], heads)
  return out.reshape(-1, *out.shape[2:])  # (B M, N, d')


def _forward(
  q: jax.Array, k: jax.Array, v: jax.Array, mask: jax.Array | None = None
) -> tuple[jax.Array, tuple[jax.Array, ...]]:
  """Returns the result, and the residuals of the gradients."""
  scores = _product("bqd,bkd->bqk", q, k)
  if mask is not None:
    scores = jnp.where(mask, scores, jnp.finfo(scores.dtype).min)
  highest = jax.lax.stop_gradient(scores.max(axis=-1, keepdims=True))
  weights = jnp.exp(scores - highest)
  total = weights.sum(axis=-1, keepdims=True)
  out = _product("bqk,bkd->bqd", weights.astype(v.dtype), v) / total
  return out.astype(q.dtype), (q, k, v, weights, total, out)


def _backward(
  saved: tuple[jax.Array, ...], gradient: jax.Array
) -> tuple[jax.Array, jax.Array, jax.Array, None]:
  """Returns the gradients of queries, keys and values."""
  q, k, v, weights, total, out = saved
  gradient = gradient.astype(total.dtype) / total
  along_out = (gradient * out).sum(axis=-1, keepdims=True)
  gradient = gradient.astype(v.dtype)
  scores = weights * (_product("bqd,bkd->bqk", gradient, v) - along_out)
  scores = scores.astype(q.dtype)
  return (
    _product("bqk,bkd->bqd", scores, k).astype(q.dtype),
    _product("bqk,bqd->bkd", scores, q).astype(k.dtype),
    _product("bqk,bqd->bkd", weights.astype(v.dtype), gradient).astype(v.dtype),
    None,
  )


_attend.defvjp(_forward, _backward)
