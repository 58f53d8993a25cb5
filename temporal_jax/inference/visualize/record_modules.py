"""Records inputs and outputs of the modules of a network."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import flax.linen as nn
import jax

from temporal_jax import data
from temporal_jax.inference.runtime.saved_model import SavedModel


class Call(NamedTuple):
  """A call of a module.

  Attributes:
    module: The module.
    args: Its positional arguments.
    output: Its result.
  """

  module: nn.Module
  args: tuple
  output: Any


class Recording(NamedTuple):
  """A run of a network on one clip.

  Attributes:
    logits: (1, L), or a dict with one entry per task.
    calls: The calls of each module by its name, e.g. "block1/attention"; names
      in the order in which the calls ended. Modules that share their parameters
      share a name.
  """

  logits: jax.Array | dict[str, jax.Array]
  calls: dict[str, list[Call]]


def record(
  saved: SavedModel,
  variables: Mapping[str, Any],
  clip: jax.Array,
  *,
  offsets: Mapping[str, jax.Array] = MappingProxyType({}),
) -> Recording:
  """Runs a network in inference, and records its modules' outputs.

  Args:
    saved: The network.
    variables: The result of `prepare_variables`, or the variables of `saved`
      with the same inputs.
    clip: (T, H, W, 3) uint8.
    offsets: Arrays that are added to the outputs of modules, by the modules'
      names; each has the shape of its output.
  """
  calls: dict[str, list[Call]] = {}

  def note(method, args, kwargs, context):
    output = method(*args, **kwargs)
    if context.method_name != "__call__":
      return output
    name = "/".join(context.module.path)
    output = _shifted(output, offsets.get(name))
    calls.setdefault(name, []).append(Call(context.module, args, output))
    return output

  variables = dict(variables)
  inputs = variables.pop("inputs", {})
  pixels = data.normalize(clip[None], saved.pixels["mean"], saved.pixels["std"])
  network = saved.network
  if getattr(network, "remat", False):
    # Outputs that are computed again for the gradients could not be recorded.
    network = network.clone(remat=False)
  with nn.intercept_methods(note):
    logits, _ = network.apply(variables, pixels, **inputs, train=False)
  return Recording(logits, calls)


def main_output(call: Call) -> Any:
  """Returns a call's main output, the first entry if it returns a tuple."""
  return call.output[0] if isinstance(call.output, tuple) else call.output


def calls_of(calls: Mapping[str, list[Call]], kind: type[nn.Module]) -> dict[str, Call]:
  """Returns the last call of each module of a class by its name."""
  return {
    name: call
    for name, listed in calls.items()
    for call in listed
    if isinstance(call.module, kind)
  }


def _shifted(output: Any, offset: jax.Array | None) -> Any:
  """Adds an offset to a module's main output, if their shapes are equal."""
  main, *others = output if isinstance(output, tuple) else (output,)
  if offset is None or getattr(main, "shape", None) != offset.shape:
    return output
  main = main + offset
  return (main, *others) if isinstance(output, tuple) else main
