"""Rewrites a jaxpr in basic operations, for formats other than StableHLO.

An operator that is computed in another way on every platform is computed in one
of them; functions that are compiled on their own, or have gradients of their
own, are written out in place.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
from jax.extend import core

# Steps that call others, and the parameter that holds these.
_CALLS = {
  "jit": "jaxpr",
  "custom_jvp_call": "call_jaxpr",
  "custom_vjp_call": "call_jaxpr",
  "checkpoint": "jaxpr",
}
# Other formats have no such steps, or not for arrays of five axes.
_AVOIDED = {"cond", "scan", "while", "reduce_window_max"}


def write_out(program: core.ClosedJaxpr) -> Callable[..., list[jax.Array]]:
  """Returns an equivalent of a program in plain steps.

  Args:
    program: Its dimensions may be symbolic.

  Returns:
    A function of the program's inputs that returns the list of its results.
  """
  return lambda *arrays: _run(program, arrays)


def _run(program: core.ClosedJaxpr, arrays: Sequence[jax.Array]) -> list[jax.Array]:
  """Does the steps of a program one after the other."""
  jaxpr = program.jaxpr
  values = dict(zip(jaxpr.constvars, program.consts, strict=True))
  values |= zip(jaxpr.invars, arrays, strict=True)

  def read(variable):
    literal = isinstance(variable, core.Literal)
    return variable.val if literal else values[variable]

  for step in jaxpr.eqns:
    results = _do(step, [read(variable) for variable in step.invars])
    values |= zip(step.outvars, results, strict=True)
  return [read(variable) for variable in jaxpr.outvars]


def _do(step: core.JaxprEqn, inputs: list[Any]) -> list[Any]:
  """Does one step."""
  name, params = step.primitive.name, step.params
  if name == "platform_index":
    return [None]  # Only `_one_way` would need it.
  if name == "cond" and "branches_platforms" in params:
    return _run(_one_way(params), inputs[1:])
  if name in _REWRITTEN:
    return _REWRITTEN[name](*inputs, **params)
  if name in _CALLS:
    inner = params[_CALLS[name]]
    if isinstance(inner, core.Jaxpr):
      inner = core.ClosedJaxpr(inner, ())
    return _run(inner, inputs)
  results = step.primitive.bind(*inputs, **params)
  return results if step.primitive.multiple_results else [results]


def _one_way(params: dict[str, Any]) -> core.ClosedJaxpr:
  """Returns the way to go: that for any platform, or a plainer one."""
  platforms, ways = params["branches_platforms"], params["branches"]
  *special, usual = sorted(
    zip(platforms, ways, strict=True), key=lambda pair: pair[0] is None
  )
  ordered = [way for _, way in (usual, *special)]
  plain = [way for way in ordered if not _steps(way) & _AVOIDED]
  return (plain or ordered)[0]


def _steps(program: core.ClosedJaxpr) -> set[str]:
  return {step.primitive.name for step in program.jaxpr.eqns}


def _pad(
  x: jax.Array,
  outside: jax.Array,
  *,
  padding_config: Sequence[tuple[int, int, int]],
) -> list[jax.Array]:
  """Pads by joining; a negative side is cut."""
  for axis, (low, high, _) in enumerate(padding_config):
    stop = x.shape[axis] + min(high, 0)
    if min(low, high) < 0:
      x = jax.lax.slice_in_dim(x, max(-low, 0), stop, axis=axis)
    before, after = (
      jax.lax.broadcast(outside, (*x.shape[:axis], side, *x.shape[axis + 1 :]))
      for side in (max(low, 0), max(high, 0))
    )
    joined = [part for part in (before, x, after) if part.shape[axis]]
    x = jax.lax.concatenate(joined, axis)
  return [x]


def _stack(*arrays: jax.Array, axis: int) -> list[jax.Array]:
  expanded = [jax.lax.expand_dims(x, (axis,)) for x in arrays]
  return [jax.lax.concatenate(expanded, axis)]


def _unstack(x: jax.Array, *, axis: int) -> list[jax.Array]:
  return [
    jax.lax.index_in_dim(x, i, axis, keepdims=False) for i in range(x.shape[axis])
  ]


# Operations that jax2onnx does not know, or not for a batch of any size.
_REWRITTEN = {"pad": _pad, "stack": _stack, "unstack": _unstack}
