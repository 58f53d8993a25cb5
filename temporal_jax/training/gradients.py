"""Gradients of a batch, computed whole or in parts one after the other."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from temporal_jax.training.state import Tree

# (params, batch_stats, part, its number) -> (value, (batch_stats, sums)).
ValueOfPart = Callable[
  [Tree, Tree, Tree, jax.Array], tuple[jax.Array, tuple[Tree, Tree]]
]


class Gradients(NamedTuple):
  """Loss, gradients and statistics of a batch.

  Attributes:
    value: Minimised value, a scalar.
    grads: Its gradient by every parameter.
    batch_stats: Running statistics after the batch.
    sums: Further values, summed over the parts.
  """

  value: jax.Array
  grads: Tree
  batch_stats: Tree
  sums: Tree


def accumulate(
  value_of_part: ValueOfPart,
  params: Tree,
  batch_stats: Tree,
  batch: Tree,
  *,
  num_microbatches: int = 1,
) -> Gradients:
  """Adds up values and gradients over the parts of a batch.

  Memory is needed for one part only. Every device splits its own clips, so that
  nothing moves between devices: part i of n holds the clips i, i + n, i + 2 n,
  ... BatchNorm normalises over a part, and its statistics move with every part.

  Args:
    value_of_part: Value of a part, of which the sum over parts is minimised.
    params: Tree of parameters.
    batch_stats: Running statistics; {} without.
    batch: Arrays (B, ...).
    num_microbatches: Number of parts n; it divides B.
  """
  of_part = jax.value_and_grad(value_of_part, has_aux=True)
  if num_microbatches == 1:
    (value, (batch_stats, sums)), grads = of_part(params, batch_stats, batch, 0)
    return Gradients(value, grads, batch_stats, sums)
  parts = jax.tree.map(
    lambda x: x.reshape(-1, num_microbatches, *x.shape[1:]).swapaxes(0, 1), batch
  )

  def add(carry: Gradients, part: tuple) -> tuple[Gradients, None]:
    (value, (stats, sums)), grads = of_part(params, carry.batch_stats, *part)
    total = jax.tree.map(
      jnp.add, (carry.value, carry.grads, carry.sums), (value, grads, sums)
    )
    return Gradients(total[0], total[1], stats, total[2]), None

  first = jax.tree.map(lambda x: x[0], parts)
  (value, (_, sums)), grads = jax.eval_shape(
    of_part, params, batch_stats, first, jnp.int32(0)
  )
  start = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), (value, grads, sums))
  start = Gradients(start[0], start[1], batch_stats, start[2])
  total, _ = jax.lax.scan(add, start, (parts, jnp.arange(num_microbatches)))
  return total
