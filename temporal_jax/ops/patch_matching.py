"""Matching of patches between frames, and reordering by it."""

import jax
import jax.extend
import jax.numpy as jnp
from optax.assignment import hungarian_algorithm

from temporal_jax.ops import shape_checks
from temporal_jax.ops.lowering.accumulation_dtype import widen
from temporal_jax.ops.lowering.join_axes import join_axes
from temporal_jax.ops.normalization import l2_normalize


def match_patches(x: jax.Array) -> jax.Array:
  """Follows every patch of the first frame through the clip.

  The patches of adjacent frames are paired so that the sum of the cosine
  similarities of all pairs is largest (the Hungarian algorithm); chained along
  time, the pairs give each patch of the first frame its path. No gradient
  flows. The search costs O(T N^3).

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
  # On CPU one search after the other, as together all wait for the longest.
  pairs = jax.lax.platform_dependent(
    join_axes(cost, 0, 2),
    cpu=lambda cost: jax.lax.map(_partners, cost),
    default=jax.vmap(_partners),
  ).reshape(batch, frames - 1, patches)
  orders = [first[:, 0]]
  for t in range(frames - 1):
    orders.append(jnp.take_along_axis(pairs[:, t], orders[-1], axis=1))
  return jnp.stack(orders, axis=1)


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
    ValueError: If `x` is not floating point (B, T, N, D) or `order` does not
      fit.
  """
  shape_checks.tokens(x)
  if order.shape != x.shape[:3]:
    raise ValueError(f"order must be {x.shape[:3]}, got {order.shape}.")
  if inverse:
    order = jnp.argsort(order, axis=-1)
  return jnp.take_along_axis(x, order[..., None], axis=2)


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
