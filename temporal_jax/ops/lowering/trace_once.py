"""Traces operators that a network calls repeatedly once per shape."""

import functools
from collections.abc import Callable

import jax


def trace_once(*static: str) -> Callable[[Callable], Callable]:
  """Decorates an operator: its later calls with the same shapes are not traced.

  All blocks of a network call it with the same shapes, and where each platform
  has its own lowering, all of them are traced each time. The program stays the
  same, as the operator's equations are put in the caller's.

  Args:
    *static: Arguments that are no arrays; they must be hashable.
  """
  return functools.partial(jax.jit, inline=True, static_argnames=static)
