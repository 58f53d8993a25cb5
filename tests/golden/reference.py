"""Rows of the table of references."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax

from convert_weights.rules import Rule
from tests.golden.arguments import Arguments, UnsupportedError

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


def no_rules(constructor: Arguments) -> Sequence[Rule]:
  """The rules of what has no parameters."""
  del constructor
  return ()


def no_sizes(constructor: Arguments) -> dict[str, int]:
  """The sizes where the shapes alone say all."""
  del constructor
  return {}


class Reference(NamedTuple):
  """Our counterpart of an official class.

  Together `build`, `rules` and `sizes` read or ignore every argument of the
  official constructor: one that they do not know makes a case unsupported.

  Attributes:
    build: Official constructor -> our module or function.
    axes: Our layout of every input and output, by its official name.
    rules: Official constructor -> rules of `convert_weights`.
    sizes: Official constructor -> lengths of axes that official shapes fold.
    skip: Regular expressions of tensors that the official code does not read.
    call: Way of applying the module: `plain`, `stateless` or `function`.
    name_outputs: Gives the results their official names.
  """

  build: Callable[[Arguments], Any]
  axes: Mapping[str, str]
  rules: Callable[[Arguments], Sequence[Rule]] = no_rules
  sizes: Callable[[Arguments], dict[str, int]] = no_sizes
  skip: Sequence[str] = ()
  call: Callable[..., Any] = plain
  name_outputs: Callable[[Any], Arrays] = only

  def made(self, constructor: Arguments) -> tuple[Any, Sequence[Rule], dict[str, int]]:
    """Returns our values for the arguments of a constructor.

    Raises:
      UnsupportedError: If they do not know an argument, or not its value.
    """
    made = self.build(constructor), self.rules(constructor), self.sizes(constructor)
    if unread := constructor.unread():
      raise UnsupportedError(f"the arguments {', '.join(unread)}")
    return made
