"""Attention of every position to the positions in a window around it."""

import jax
import jax.numpy as jnp
import numpy as np

from temporal_jax.ops import shape_checks
from temporal_jax.ops.lowering.accumulation_dtype import wide_dtype, widen

_BLOCK = 32  # Fewest queries of a block; more are more products outside windows.
# As in the reference: the value outside of the sequence, where weights are
# zero, and the number added to the scores of masked keys, whose exp is zero.
_VALUE_OUTSIDE, _MASKED = -1.0, -1e4


def local_attention(
  q: jax.Array,
  k: jax.Array,
  v: jax.Array,
  mask: jax.Array,
  *,
  window: int,
  bias: jax.Array | None = None,
) -> jax.Array:
  """Returns softmax(q k^T / sqrt(d)) v over each position's window.

  Queries are taken in blocks, each with the keys in reach of it, so that memory
  grows with T, not with its square.

  Args:
    q: Queries (B, T, M, d): M heads of d channels.
    k: Keys (B, T, M, d).
    v: Values (B, T, M, d).
    mask: Positions that hold features, bool (B, T). Others are not looked at,
      and their own results are zero.
    window: Positions seen, odd; half of them on each side.
    bias: Added to the scores, (M, window): a head's value for each place in
      the window.

  Returns:
    Features (B, T, M, d) in the dtype of `q`.

  Raises:
    ValueError: If `window` is not odd.

  Source: Zhang et al. 2022, https://arxiv.org/abs/2202.07925, section 3.2;
    class `LocalMaskedMHCA` in libs/modeling/blocks.py of
    happyharrycn/actionformer_release.
  """
  shape_checks.odd("window", window)
  batch, length, heads, width = q.shape
  reach = window // 2
  size = max(reach, min(_BLOCK, length), 1)
  blocks = -(-length // size)
  dtype = wide_dtype(q)

  queries = _pad(q, 0, blocks * size - length)
  queries = queries.reshape(batch, blocks, size, heads, width)
  keys, values = (
    _in_reach(x, size, blocks, reach, outside=outside)
    for x, outside in ((k, 0.0), (v, _VALUE_OUTSIDE))
  )
  queries *= jnp.asarray(width**-0.5, q.dtype)
  scores = jnp.einsum("bnqmd,bnkmd->bnmqk", queries, keys, preferred_element_type=dtype)
  if bias is not None:
    scores += _by_place(widen(bias, dtype), size)[None, None]
  penalty = jnp.where(mask, 0.0, _MASKED).astype(dtype)
  scores += _in_reach(penalty, size, blocks, reach)[:, :, None, None]
  scores = jnp.where(_is_seen(length, size, blocks, reach), scores, -jnp.inf)
  # A block's padded queries see no key: any finite weights do.
  highest = jnp.maximum(scores.max(axis=-1, keepdims=True), jnp.finfo(dtype).min)
  weights = jnp.exp(scores - jax.lax.stop_gradient(highest))
  total = jnp.maximum(weights.sum(axis=-1, keepdims=True), jnp.finfo(dtype).tiny)
  weights = (weights / total).astype(v.dtype)
  out = jnp.einsum("bnmqk,bnkmd->bnqmd", weights, values)
  out = out.reshape(batch, blocks * size, heads, width)[:, :length]
  return jnp.where(mask[:, :, None, None], out, 0).astype(q.dtype)


def _pad(x: jax.Array, before: int, after: int, value: float = 0.0) -> jax.Array:
  """Returns `x` (B, T, ...) with `value` on both sides of axis 1."""
  sides = [(0, 0)] * x.ndim
  sides[1] = (before, after)
  return jnp.pad(x, sides, constant_values=value)


def _in_reach(
  x: jax.Array, size: int, blocks: int, reach: int, *, outside: float = 0.0
) -> jax.Array:
  """Returns the keys or values in reach of blocks of `size` positions.

  That is (B, blocks, size + 2 reach, ...): each block with the ends of its
  neighbours, which are slices of whole blocks.
  """
  after = (blocks + 1) * size - x.shape[1]
  x = _pad(x, size, after, outside)
  x = x.reshape(x.shape[0], blocks + 2, size, *x.shape[2:])
  parts = (x[:, :-2, size - reach :], x[:, 1:-1], x[:, 2:, :reach])
  return jnp.concatenate(parts, axis=2)


def _is_seen(length: int, size: int, blocks: int, reach: int) -> np.ndarray:
  """Returns a mask of seen keys, (1, blocks, 1, size, size + 2 reach)."""
  query, key = np.arange(size)[:, None], np.arange(size + 2 * reach)
  in_window = (key >= query) & (key <= query + 2 * reach)
  position = np.arange(blocks)[:, None] * size + key - reach
  inside = (position >= 0) & (position < length)
  return (in_window & inside[:, None])[None, :, None]


def _by_place(bias: jax.Array, size: int) -> jax.Array:
  """Spreads (M, window) over a block's reach, (M, size, size + window - 1).

  The window of a query begins one key later than the previous query's: rows
  that are one longer than the result's are read as one array.
  """
  heads, window = bias.shape
  rows = jnp.pad(bias, ((0, 0), (0, size)))
  rows = jnp.tile(rows, (1, size))[:, : size * (size + window - 1)]
  return rows.reshape(heads, size, size + window - 1)
