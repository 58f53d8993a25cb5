"""Barriers that keep XLA from fusing operations."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp


def apart(function: Callable[[jax.Array], Any], x: jax.Array) -> Any:
  """Calls a function of an array so that XLA fuses nothing with it.

  It may return several arrays, as a pytree.

  A function that reads `x` at several places is otherwise fused with the
  computation of `x`, which is then repeated for each place; or with the readers
  of the result. On CPU both are slower than writing the array to memory.

  The call is one branch of a condition whose value XLA learns too late to
  remove it; the other branch never runs.
  """
  out = jax.eval_shape(function, x)
  return jax.lax.cond(
    jax.lax.optimization_barrier(jnp.ones((), bool)),
    function,
    # Like `out`, they vary over the axes of a mesh that it varies over.
    lambda _: jax.tree.map(jnp.zeros_like, out),
    x,
  )


def written_out(x: jax.Array) -> jax.Array:
  """Returns `x`, which on CPU XLA writes to memory, and its gradient as well.

  For an array that is read at many places: at each of them XLA computes it
  anew. In the gradients of L blocks, for example, each block would add up the
  gradients of all blocks after it, at three places.
  """
  return jax.lax.platform_dependent(
    x, cpu=functools.partial(apart, _itself), default=_itself
  )


def own_layout(x: jax.Array) -> jax.Array:
  """Returns `x`, which on TPU has a layout of its own, as does its gradient.

  XLA merges no reshape in front of it with one after it, or with a product. For
  rows of one axis, which else get the layout of the many axes they are made of.
  """
  return jax.lax.platform_dependent(
    x, tpu=jax.lax.optimization_barrier, default=_itself
  )


def _itself(x: jax.Array) -> jax.Array:
  return x
