"""Traces the module calls of a network without computing them."""

import collections
from collections.abc import Callable
from typing import Any, NamedTuple

import flax.linen as nn
import jax

from temporal_jax.models.network import Network
from temporal_jax.models.slots import Temporal


class ModuleCall(NamedTuple):
  """A call of a module.

  Attributes:
    path: Its name below the network, a part a level; () is the network.
    kind: Name of its class.
    shape: Shape of the array that it returns, or returns first; None if that is
      no array.
    temporal: Layers in the temporal slots of a block; None of other modules.
  """

  path: tuple[str, ...]
  kind: str
  shape: tuple[int, ...] | None
  temporal: Temporal | None


def trace_calls(function: Callable, *args: Any) -> list[ModuleCall]:
  """Returns the calls of modules within a function, as they begin.

  Args:
    function: Applies a network; called with `args`.
    *args: Arrays, or shapes by `jax.ShapeDtypeStruct`.
  """
  calls = []

  def record(call, args, kwargs, context):
    if context.method_name != "__call__":
      return call(*args, **kwargs)
    place = len(calls)
    calls.append(None)
    out = call(*args, **kwargs)
    calls[place] = _describe(context.module, out)
    return out

  with nn.intercept_methods(record):
    # A function of its own, so that traced modules are traced again.
    jax.eval_shape(lambda *args: function(*args), *args)
  return calls


def called_once(calls: list[ModuleCall]) -> list[ModuleCall]:
  """Returns the calls of modules that are called a single time.

  Of modules that share a path, which one calls the other, it is the outer.
  """
  times = collections.Counter((call.path, call.kind) for call in calls)
  outer: dict[tuple[str, ...], ModuleCall] = {}
  for call in calls:
    outer.setdefault(call.path, call)
  return [call for call in outer.values() if times[call.path, call.kind] == 1]


def _describe(module: nn.Module, out: Any) -> ModuleCall:
  first = out[0] if isinstance(out, tuple) else out
  is_block = not isinstance(module, Network)
  return ModuleCall(
    module.path,
    type(module).__name__,
    getattr(first, "shape", None),
    getattr(module, "temporal", None) if is_block else None,
  )
