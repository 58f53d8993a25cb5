"""What a row of the table of references says."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax

from convert_weights.rules import Rule

Arrays = dict[str, jax.Array]


def plain(module: Any, variables: dict, train: bool, *inputs: jax.Array) -> Any:
  """Applies a linen module; returns its outputs and its new statistics."""
  return module.apply(variables, *inputs, train=train, mutable=["batch_stats"])


def stateless(module: Any, variables: dict, train: bool, *inputs: jax.Array) -> Any:
  """Applies a linen module that has no training mode."""
  del train
  return module.apply(variables, *inputs), {}


def function(op: Any, variables: dict, train: bool, *inputs: jax.Array) -> Any:
  """Calls a function without parameters."""
  del variables, train
  return op(*inputs), {}


def first(out: Any) -> Arrays:
  """Names the first of several outputs "out"."""
  return {"out": out[0]}


def only(out: Any) -> Arrays:
  """Names the only output "out"."""
  return {"out": out}


def no_rules(constructor: dict) -> Sequence[Rule]:
  """The rules of what has no parameters."""
  del constructor
  return ()


def no_sizes(constructor: dict) -> dict[str, int]:
  """The sizes where the shapes alone say all."""
  del constructor
  return {}


class Reference(NamedTuple):
  """How ours does what an official class does.

  Attributes:
    build: Official constructor -> our module or function.
    axes: Our layout of every input and output, by its official name.
    rules: Official constructor -> rules of `convert_weights`.
    sizes: Official constructor -> lengths of axes that official shapes fold.
    skip: Regular expressions of tensors that the official code does not read.
    call: How the module is applied: `plain`, `stateless` or `function`.
    name_outputs: Gives the results their official names.
  """

  build: Callable[[dict[str, Any]], Any]
  axes: Mapping[str, str]
  rules: Callable[[dict[str, Any]], Sequence[Rule]] = no_rules
  sizes: Callable[[dict[str, Any]], dict[str, int]] = no_sizes
  skip: Sequence[str] = ()
  call: Callable[..., Any] = plain
  name_outputs: Callable[[Any], Arrays] = only
