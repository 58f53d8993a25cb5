"""Attention on TPU in one kernel, whose scores stay in fast memory.

XLA writes the scores of all heads to memory and reads them again, padded to
whole tiles. Here one step holds the tokens of a frame, multiplies, takes the
softmax and multiplies again, so that only queries, keys, values and results are
read and written, in the order a projection makes them, heads contiguous. The
gradient computes the scores anew. With gradients, 8 clips of 8 frames, spatial
attention of a ViT-B/16 takes 619 us instead of 1337 on a v5e, temporal
attention 535 instead of 1158 (`benchmarks.tpu`).

Heads narrower than the 128 lanes of a tile share it. A head's product is that
of all lanes with the others' set to zero: a matrix unit takes the same time,
and no lanes move.
"""

import functools
import math
from collections.abc import Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.experimental import pallas as pl
from jax.experimental.pallas import tpu as pltpu

from temporal_jax.ops.lowering.join_axes import join_axes

_LANES = 128  # A register and a matrix unit have as many.
_SUBLANES = 8  # Rows of a register, in float32.
_PACKED = 128  # Rows of scores that few tokens fill together.
_TILES = 8  # Most tiles of a step; each of them makes the program longer.
_FEW = 16  # Keys that fill too little of a step where entries do not pack.
_FAST = 12 * 2**20  # Bytes of fast memory one step may take of 16 MiB.
_NEVER = -1e30  # A score of no weight; of infinities a difference is taken.
# Entries and lanes may run in any order, rows add to one sum.
_ORDER = pltpu.CompilerParams(dimension_semantics=("parallel", "parallel", "arbitrary"))


class Plan(NamedTuple):
  """Sizes of one step.

  Attributes:
    entries: Clips or frames, more than one where their tokens are few.
    rows: Queries of each.
    lanes: Channels of whole heads.
    tile: Channels that are multiplied together: a wide head, or several.
  """

  entries: int
  rows: int
  lanes: int
  tile: int


def plan_steps(q: jax.Array, k: jax.Array) -> Plan | None:
  """Returns the steps for queries (B, N, M, d) and keys (B, N', M, d).

  None means that the kernel does not fit: a size is not known yet, heads do
  not fill tiles, tokens are few and do not pack, or there are too many keys,
  some thousands, for the fast memory.
  """
  if not all(isinstance(size, int) for size in (*q.shape, *k.shape)):
    return None
  batch, queries, heads, width = q.shape
  keys, channels = k.shape[1], heads * width
  tile = width if width % _LANES == 0 else _LANES
  if 0 in (batch, queries, keys, channels) or tile % width or channels % tile:
    return None
  few = queries == keys and queries <= _PACKED // 2 and queries % _SUBLANES == 0
  entries = _divisor(batch, _PACKED // queries) if few else 1
  if entries == 1 and keys <= _FEW:
    return None
  rows = [queries] if queries <= 512 else []
  for size in (*rows, 512, 256, 128, 64, 32, 16):
    for tiles in range(min(channels // tile, _TILES), 0, -1):
      plan = Plan(entries, min(size, queries), tiles * tile, tile)
      if channels % plan.lanes == 0 and _bytes(plan, keys) <= _FAST:
        return plan
  return None


def _divisor(number: int, most: int) -> int:
  """Returns the largest divisor of `number` up to `most`."""
  return max(n for n in range(1, most + 1) if number % n == 0)


def _bytes(plan: Plan, keys: int) -> int:
  """Returns about what a step of the gradient takes in fast memory."""
  rows, columns = plan.entries * plan.rows, plan.entries * keys
  # q, g, dq and k, v, dk, dv, each also for the next step.
  blocks = 2 * 2 * plan.lanes * (3 * rows + 4 * columns)
  sums = 2 * 4 * plan.lanes * columns
  padded = -(-columns // _LANES) * _LANES
  return blocks + sums + 6 * 4 * rows * padded


def attend(
  q: jax.Array,
  k: jax.Array,
  v: jax.Array,
  *,
  scale: float,
  plan: Plan,
  interpret: bool = False,
) -> jax.Array:
  """Returns softmax(q k^T scale) v for every head.

  Args:
    q: Queries (B, N, M, d), bfloat16.
    k: Keys (B, N', M, d), like `q`.
    v: Values (B, N', M, d), like `q`.
    scale: Factor of the products.
    plan: See `plan_steps`.
    interpret: Whether it runs without a TPU, for tests.

  Returns:
    Tokens (B, N, M, d).
  """
  queries, keys = _block(q, plan), _block(k, plan, whole=True)
  out = pl.pallas_call(
    functools.partial(_attend_step, scale=scale, head=q.shape[-1], tile=plan.tile),
    grid=_grid(q, plan),
    in_specs=[queries, keys, keys],
    out_specs=queries,
    out_shape=_flat_like(q),
    compiler_params=_ORDER,
    cost_estimate=_cost(q, k, plan, products=2, arrays=4),
    interpret=interpret,
  )(*(join_axes(x, 2) for x in (q, k, v)))
  return out.reshape(q.shape)


def gradients(
  q: jax.Array,
  k: jax.Array,
  v: jax.Array,
  gradient: jax.Array,
  *,
  scale: float,
  plan: Plan,
  interpret: bool = False,
) -> tuple[jax.Array, jax.Array, jax.Array]:
  """Returns the gradients of q, k and v for that of the result of `attend`."""
  queries, keys = _block(q, plan), _block(k, plan, whole=True)
  sums = pltpu.VMEM((plan.entries * k.shape[1], plan.lanes), jnp.float32)
  out = pl.pallas_call(
    functools.partial(
      _gradient_step,
      scale=scale,
      head=q.shape[-1],
      tile=plan.tile,
      rows_left=q.shape[1] if q.shape[1] % plan.rows else None,
    ),
    grid=_grid(q, plan),
    in_specs=[queries, keys, keys, queries],
    out_specs=[queries, keys, keys],
    out_shape=[_flat_like(x) for x in (q, k, v)],
    scratch_shapes=[sums] * 2 if plan.rows < q.shape[1] else [],
    compiler_params=_ORDER,
    cost_estimate=_cost(q, k, plan, products=5, arrays=7),
    interpret=interpret,
  )(*(join_axes(x, 2) for x in (q, k, v, gradient)))
  return tuple(x.reshape(y.shape) for x, y in zip(out, (q, k, v), strict=True))


def _grid(q: jax.Array, plan: Plan) -> tuple[int, int, int]:
  batch, queries, heads, width = q.shape
  return (
    batch // plan.entries,
    heads * width // plan.lanes,
    pl.cdiv(queries, plan.rows),
  )


def _block(x: jax.Array, plan: Plan, *, whole: bool = False) -> pl.BlockSpec:
  """Returns one step's block of (B, N, M d): all tokens, or some queries."""
  if whole:
    shape = (plan.entries, x.shape[1], plan.lanes)
    return pl.BlockSpec(shape, lambda entry, lane, row: (entry, 0, lane))
  shape = (plan.entries, plan.rows, plan.lanes)
  return pl.BlockSpec(shape, lambda entry, lane, row: (entry, row, lane))


def _flat_like(x: jax.Array) -> jax.ShapeDtypeStruct:
  """Returns the type of (B, N, M, d) as (B, N, M d)."""
  return jax.ShapeDtypeStruct(
    (*x.shape[:2], x.shape[2] * x.shape[3]),
    x.dtype,
    manual_axis_type=jax.typeof(x).manual_axis_type,
  )


def _cost(
  q: jax.Array, k: jax.Array, plan: Plan, *, products: int, arrays: int
) -> pl.CostEstimate:
  """Returns the cost by which the compiler orders its copies.

  Args:
    q: Queries (B, N, M, d).
    k: Keys (B, N', M, d).
    plan: See `plan_steps`.
    products: Products of scores and a tile, for each head.
    arrays: Arrays that are read or written.
  """
  scores = q.shape[0] * q.shape[1] * q.shape[2] * k.shape[1] * plan.entries
  size = max(x.size * x.dtype.itemsize for x in (q, k))
  return pl.CostEstimate(
    flops=2 * products * scores * plan.tile,
    transcendentals=scores,
    bytes_accessed=arrays * size,
  )


def _attend_step(q, k, v, out, *, scale: float, head: int, tile: int) -> None:
  """Attends from some queries to all keys, references (entries, N, lanes)."""
  seen = _same_entry(q, k)
  for part in _parts(q, tile):
    queries, keys, values = (_load(x, part) for x in (q, k, v))
    total = jnp.zeros(queries.shape, jnp.float32)
    for own in _heads(head, tile):
      weights, sums = _weights(queries, own(keys), scale, seen)
      total += _dot(weights.astype(q.dtype), own(values), 1, 0) / sums
    _store(out, part, total)


def _gradient_step(
  q,
  k,
  v,
  gradient,
  of_q,
  of_k,
  of_v,
  *saved,
  scale: float,
  head: int,
  tile: int,
  rows_left: int | None,
) -> None:
  """Returns the gradients of some queries, and adds up the keys' and values'.

  With weights w = exp(s - max), their sums z and the gradient g of the result,
  the gradient of the scores is w (g v^T - mean) / z, where the mean is weighted
  by w: g is divided instead.

  All are references to (entries, N, lanes). `saved` has sums in float32, of
  keys and of values, where there are several steps. If the last of them has
  fewer rows than the others, `rows_left` is the number of all.
  """
  seen = _same_entry(q, k)
  heads = list(_heads(head, tile))
  for part in _parts(q, tile):
    queries, keys, values, given = (_load(x, part) for x in (q, k, v, gradient))
    if rows_left is not None:  # Rows after the last hold anything.
      rows = jax.lax.broadcasted_iota(jnp.int32, (queries.shape[0], 1), 0)
      inside = rows < rows_left - pl.program_id(2) * q.shape[1]
      queries, given = (_where(inside, x) for x in (queries, given))
    # All heads at each step: one's products hide the other's sums.
    weights = [_weights(queries, own(keys), scale, seen) for own in heads]
    shares = [
      (own(given).astype(jnp.float32) / total).astype(q.dtype)
      for own, (_, total) in zip(heads, weights, strict=True)
    ]
    of_weights = [_dot(share, values, 1, 1) for share in shares]
    of_scores = [
      (w * (x - jnp.sum(w * x, axis=1, keepdims=True) / total)).astype(q.dtype)
      for x, (w, total) in zip(of_weights, weights, strict=True)
    ]
    each = list(zip(heads, of_scores, strict=True))
    _store(of_q, part, scale * sum(_dot(x, own(keys), 1, 0) for own, x in each))
    sums = (
      scale * sum(_dot(x, own(queries), 0, 0) for own, x in each),
      sum(
        _dot(w.astype(q.dtype), share, 0, 0)
        for (w, _), share in zip(weights, shares, strict=True)
      ),
    )
    for out, total, earlier in zip(
      (of_k, of_v), sums, saved or [None] * 2, strict=True
    ):
      _store(out, part, total if earlier is None else _add(earlier, part, total))


def _add(saved, part: slice, x: jax.Array) -> jax.Array:
  """Adds to what earlier steps have saved, and returns it."""
  first = pl.program_id(2) == 0
  saved[:, part] = jnp.where(first, x, saved[:, part] + x)
  return saved[:, part]


def _parts(reference, tile: int) -> Iterator[slice]:
  """Yields the lanes that are multiplied together."""
  for start in range(0, reference.shape[-1], tile):
    yield slice(start, start + tile)


def _heads(width: int, tile: int):
  """Yields one function per head of a tile, which keeps its lanes."""
  if width == tile:
    yield lambda x: x
    return
  lane = jax.lax.broadcasted_iota(jnp.int32, (1, tile), 1)
  for start in range(0, tile, width):
    inside = (lane >= start) & (lane < start + width)
    yield functools.partial(_where, inside)


def _where(inside: jax.Array, x: jax.Array) -> jax.Array:
  return jnp.where(inside, x, jnp.zeros_like(x))


def _same_entry(q, k) -> jax.Array | None:
  """Returns True where a packed row may look at another."""
  entries, queries, keys = q.shape[0], q.shape[1], k.shape[1]
  if entries == 1:
    return None
  shape = (entries * queries, entries * keys)
  row, column = (jax.lax.broadcasted_iota(jnp.int32, shape, i) for i in (0, 1))
  return jax.lax.div(row, queries) == jax.lax.div(column, keys)


def _load(reference, part: slice) -> jax.Array:
  """Returns lanes of (entries, N, lanes) as (entries N, tile)."""
  x = reference[:, :, part]
  # Rows of float32 join without moving: 8 fill a register, of bfloat16 16.
  wide = x.astype(jnp.float32).reshape(x.shape[0] * x.shape[1], x.shape[2])
  return wide.astype(x.dtype) if x.shape[0] > 1 else x[0]


def _store(reference, part: slice, x: jax.Array) -> None:
  """Writes (entries N, tile) to lanes of (entries, N, lanes)."""
  shape = (*reference.shape[:2], x.shape[1])
  reference[:, :, part] = x.reshape(shape).astype(reference.dtype)


def _weights(
  q: jax.Array, k: jax.Array, scale: float, seen: jax.Array | None
) -> tuple[jax.Array, jax.Array]:
  """Returns exp(s - max) of scores s, and the sums of its rows."""
  # exp is computed by powers of 2: its factor takes the place of the scale's.
  scores = _dot(q, k, 1, 1) * (scale * math.log2(math.e))
  if seen is not None:
    scores = jnp.where(seen, scores, _NEVER)
  weights = jnp.exp2(scores - jnp.max(scores, axis=1, keepdims=True))
  return weights, jnp.sum(weights, axis=1, keepdims=True)


def _dot(x: jax.Array, y: jax.Array, of_x: int, of_y: int) -> jax.Array:
  """Returns the product of matrices over one axis of each, in float32."""
  dimensions = (((of_x,), (of_y,)), ((), ()))
  return jax.lax.dot_general(x, y, dimensions, preferred_element_type=jnp.float32)
