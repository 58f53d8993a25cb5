"""Matching of patches between frames, and reordering by it."""

import jax
import jax.extend
import jax.numpy as jnp
from optax.assignment import hungarian_algorithm

from temporal_jax.ops import shape_checks
from temporal_jax.ops.lowering.accumulation_dtype import widen
from temporal_jax.ops.lowering.batched_assignment import assign
from temporal_jax.ops.lowering.device_variance import vary_together
from temporal_jax.ops.lowering.join_axes import join_axes
from temporal_jax.ops.normalization import l2_normalize


def match_patches(x: jax.Array) -> jax.Array:
  """Follows every patch of the first frame through the clip.

  The patches of adjacent frames are paired so that the sum of the cosine
  similarities of all pairs is largest (the Hungarian algorithm); chained along
  time, the pairs give each patch of the first frame its path. No gradient
  flows. The search costs O(T N^3): on CPU by the Hungarian algorithm, one pair
  of frames after the other. Elsewhere all pairs are searched together, see
  `lowering.batched_assignment`, in a few steps where patches keep their looks
  and some hundreds where frames have nothing in common, instead of thousands.
  Where several assignments have the largest sum, platforms may choose different
  ones.

  Args:
    x: Patch tokens (B, T, N, D), without a class token, floating point.

  Returns:
    Permutations (B, T, N) int32: place n of the first frame is found at place
    out[b, t, n] of frame t; out[:, 0] counts from 0.

  Raises:
    ValueError: If `x` is not floating point (B, T, N, D).

  Source: Zhao et al. 2022, https://arxiv.org/abs/2210.00132 (ATA).
  """
  shape_checks.tokens(x)
  batch, frames, patches, _ = x.shape
  first = jnp.arange(patches, dtype=jnp.int32)
  first = jnp.broadcast_to(first, (batch, 1, patches))
  if frames == 1:
    return first
  x = l2_normalize(widen(jax.lax.stop_gradient(x)))
  cost = -jnp.einsum("btnd,btmd->btnm", x[:, :-1], x[:, 1:])
  # Together all wait for the longest search, which costs a CPU more.
  pairs = jax.lax.platform_dependent(
    join_axes(cost, 0, 2), cpu=_assign_in_turn, default=assign
  ).reshape(batch, frames - 1, patches)
  first, pairs = vary_together(first, pairs)
  _, later = jax.lax.scan(_follow, first[:, 0], pairs.swapaxes(0, 1))
  return jnp.concatenate([first, later.swapaxes(0, 1)], axis=1)


def permute_patches(
  x: jax.Array, order: jax.Array, *, inverse: bool = False
) -> jax.Array:
  """Puts the patches of every frame into a given order, or back.

  out[b, t, n] = x[b, t, order[b, t, n]], or with `inverse`
  out[b, t, order[b, t, n]] = x[b, t, n].

  Args:
    x: Patch tokens (B, T, N, D), floating point.
    order: Permutations (B, T, N), as `match_patches` returns them.
    inverse: Whether the order is undone.

  Returns:
    Patch tokens in the shape and dtype of `x`.

  Raises:
    ValueError: If `x` is not floating point (B, T, N, D) or `order` is
      not integers of shape (B, T, N).

  Source: Zhao et al. 2022, https://arxiv.org/abs/2210.00132 (ATA).
  """
  shape_checks.tokens(x)
  if order.shape != x.shape[:3]:
    raise ValueError(f"order must be {x.shape[:3]}, got {order.shape}.")
  if not jnp.issubdtype(order.dtype, jnp.integer):
    raise ValueError(f"order must be integers, got {order.dtype} {order.shape}.")
  if inverse:
    order = jnp.argsort(order, axis=-1)
  return jnp.take_along_axis(x, order[..., None], axis=2)


def _follow(places: jax.Array, partners: jax.Array) -> tuple[jax.Array, jax.Array]:
  """Returns the places in the next frame of the patches at places (B, N)."""
  places = jnp.take_along_axis(partners, places, axis=1)
  return places, places


def _assign_in_turn(cost: jax.Array) -> jax.Array:
  """Returns the partners for costs (K, N, N), one problem after the other."""
  partners, _ = vary_together(jax.lax.map(_partners, cost), cost)
  return partners


def _partners(cost: jax.Array) -> jax.Array:
  """Returns each row's column in the cheapest assignment of (N, N), int32.

  The search is traced before it gets `cost`: its loops begin at constants, and
  under `jax.shard_map` no loop may begin at a value that is the same on all
  devices and go on with one that is not.
  """
  cost = cost.astype(float)  # The search adds to numbers of this dtype.
  search = jax.make_jaxpr(hungarian_algorithm)(
    jax.ShapeDtypeStruct(cost.shape, cost.dtype)
  )
  rows, columns = jax.extend.core.jaxpr_as_fun(search)(cost)
  partners = jnp.zeros_like(rows).at[rows].set(columns)
  return partners.astype(jnp.int32)
