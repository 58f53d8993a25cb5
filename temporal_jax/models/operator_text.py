"""Temporal operators as text, with their arguments.

  aggregation(taps=5, stages=(3, 4))
  adaptive(axis='both', route=mlp(ratio=2))
  arithmetic(7, operations=('sum',), combination='cascade')
  shift | aggregation(taps=5)

Arguments go to the layers that fill the operator's slots, whose classes
document them. An argument that several of the layers have goes to each. An
argument for a layer or an initialiser takes a name of the class's `CHOICES`,
with arguments of its own. SLOT=None empties a slot. These choose the blocks
with the operator:

  stages=(3, 4)  blocks of these stages, counted as names of variables count
  blocks=(1, 3)  blocks of these numbers, likewise
  every=2        the first block of each stage, and every second after it

"|" puts operators one after the other, see `Temporal.followed_by`.
"""

import ast
import dataclasses
import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from temporal_jax import field_types
from temporal_jax.config_strings import (
  Call,
  read_expression,
  read_literal,
  read_sequence,
  split_call,
)
from temporal_jax.lookup import lookup, unknown_name
from temporal_jax.models.network import Network
from temporal_jax.models.slots import SLOTS, Blocks, Factory, Temporal

_WHAT = "temporal operator"
_PLACES = ("stages", "blocks", "every")
# Arguments that a backbone gives to a slot's factory, or a layer to another's.
_GIVEN = {"name", "parent"}
_GIVEN_TO_CONVOLUTIONS = {"features", "size", "stride", "taps", "time_stride"}
_GIVEN_TO_LAYERS = {"features"}
_CONVOLUTIONS = ("convolution", "temporal_convolution")


def read_operator(
  text: str,
  network: Network,
  table: Mapping[str, Temporal | Callable[..., Temporal]],
) -> Temporal:
  """Returns the slots that a text of operators fills.

  Texts that are equal return equal slots, so that networks are equal too.

  Args:
    text: Operators with their arguments, see the docstring of this module.
    network: The network, whatever its own slots hold.
    table: Operators by name: each is a `Temporal`, or a function from the
      network, and from arguments of its own, to one.

  Raises:
    ValueError: If the text cannot be read, an operator or an argument is
      unknown, a value does not fit, there is no such stage or block, or two
      operators fill a slot that holds only one.
  """
  found, nodes = Temporal(), read_sequence(text, _WHAT)
  if not nodes:
    raise ValueError(unknown_name(text, table, _WHAT))
  for node in nodes:
    call = split_call(node, _WHAT)
    if call is None:
      raise ValueError(
        f"{ast.unparse(node)!r} is no {_WHAT}: write NAME or NAME(ARGUMENT=VALUE)."
      )
    found = _then(found, _one(call, network, table))
  for stage, count in enumerate(network.stages().values()):
    for block in range(count):
      found.at(stage, block)  # Raises if a slot is filled twice.
  return found


def _one(
  call: Call,
  network: Network,
  table: Mapping[str, Temporal | Callable[..., Temporal]],
) -> Temporal:
  """Returns one operator with its arguments."""
  made, name, named = lookup(table, call.name, _WHAT), call.name, dict(call.named)
  if not isinstance(made, Temporal):
    made = _made_for(network, made, call, named)
  elif call.positional:
    raise ValueError(
      f"the {_WHAT} {name} takes its arguments by name, got "
      f"{ast.unparse(call.positional[0])}."
    )
  places = {key: _literal(named.pop(key), name) for key in _PLACES if key in named}
  if places and call.positional:
    raise ValueError(
      f"{name} names its blocks twice: by {ast.unparse(call.positional[0])} "
      f"and {', '.join(places)}."
    )
  _check_names(name, made, named, own=_own_arguments(lookup(table, name, _WHAT)))
  if named:
    text = ", ".join(f"{key}={ast.unparse(node)}" for key, node in named.items())
    made = _with_arguments(made, name, text)
  return _in_blocks(made, name, network, places) if places else made


def _made_for(
  network: Network,
  make: Callable[..., Temporal],
  call: Call,
  named: dict[str, ast.expr],
) -> Temporal:
  """Returns an operator that depends on the network.

  Its own arguments are taken out of `named`.
  """
  own = {
    key: _literal(named.pop(key), call.name)
    for key in _own_arguments(make)
    if key in named
  }
  positional = [_literal(node, call.name) for node in call.positional]
  try:
    bound = inspect.signature(make).bind(network, *positional, **own)
  except TypeError as error:
    raise ValueError(f"{_WHAT} {call.name}: {error}.") from None
  for key, value in bound.arguments.items():
    parameter = bound.signature.parameters[key]
    values = value if parameter.kind is parameter.VAR_POSITIONAL else (value,)
    if values != (network,):
      for one in values:
        _check_kind(one, parameter.annotation, f"{key} of {call.name}")
  return make(network, *positional, **own)


def _own_arguments(make: Temporal | Callable[..., Temporal]) -> list[str]:
  """Returns the named arguments of a function that makes an operator."""
  if isinstance(make, Temporal):
    return []
  _, *others = inspect.signature(make).parameters.values()  # The network is first.
  return [one.name for one in others if one.kind is not one.VAR_POSITIONAL]


# Made once, so that networks built alike are equal.
@functools.cache
def _with_arguments(made: Temporal, name: str, text: str) -> Temporal:
  """Returns an operator whose layers have the arguments of a text."""
  call = split_call(read_expression(f"{name}({text})", _WHAT), _WHAT)
  slots = {}
  for slot in SLOTS:
    if slot in call.named:
      slots[slot] = None
      continue
    factory = getattr(made, slot)
    if factory is not None:
      known = _settable(factory, slot)
      own = {key: value for key, value in call.named.items() if key in known}
      slots[slot] = _with_fields(factory, known, own, name)
  if made.followed_by is not None:
    slots["followed_by"] = _with_arguments(made.followed_by, name, text)
  return dataclasses.replace(made, **slots)


def _check_names(
  name: str, made: Temporal, named: Mapping[str, ast.expr], *, own: Sequence[str]
) -> None:
  """Raises ValueError if neither an operator nor its layers have an argument.

  Args:
    name: The operator.
    made: The operator's slots.
    named: The arguments.
    own: Further arguments that it has.
  """
  known: set[str] = set()
  emptied: dict[str, str] = {}  # Argument -> the slot whose layer it was of.
  part: Temporal | None = made
  while part is not None:
    for slot in part.own_slots():
      found = _settable(getattr(part, slot), slot)
      if slot in named:
        emptied |= dict.fromkeys(found, slot)
      else:
        known |= found.keys()
    part = part.followed_by
  for argument, node in named.items():
    if argument in made.filled():
      if _literal(node, name) is not None:
        raise ValueError(
          f"{argument} of {name} can only be None, which leaves the slot empty; got "
          f"{ast.unparse(node)}."
        )
    elif argument not in known:
      if slot := emptied.get(argument):
        raise ValueError(
          f"{argument} of {name} is of the layer in its slot {slot}, which "
          f"{slot}=None leaves empty."
        )
      allowed = [*own, *sorted(known), *_PLACES, *sorted(made.filled())]
      raise ValueError(unknown_name(argument, allowed, "argument", of=name))


def _settable(factory: Factory, slot: str = "") -> dict[str, dataclasses.Field]:
  """Returns the fields of a factory's class that a text can give."""
  kind = _class_of(factory)
  if kind is None:
    return {}
  given = set(_GIVEN)
  if slot in _CONVOLUTIONS:
    given |= _GIVEN_TO_CONVOLUTIONS
  elif not slot:  # A layer that another one makes.
    given |= _GIVEN_TO_LAYERS
  choices = getattr(kind, "CHOICES", {})
  return {
    field.name: field
    for field in dataclasses.fields(kind)
    if field.name not in given
    and (field.name in choices or field_types.words(field.type))
  }


def _class_of(factory: Factory) -> type[nn.Module] | None:
  while isinstance(factory, functools.partial):
    factory = factory.func
  return factory if isinstance(factory, type) else None


def _with_fields(
  factory: Factory,
  known: Mapping[str, dataclasses.Field],
  named: Mapping[str, ast.expr],
  where: str,
) -> Factory:
  """Returns a factory with the fields that are named."""
  if not named:
    return factory
  choices = getattr(_class_of(factory), "CHOICES", {})
  values = {}
  for name, node in named.items():
    if name in choices and not (isinstance(node, ast.Constant) and node.value is None):
      values[name] = _choice(node, choices[name], f"{name} of {where}")
      continue
    value = _literal(node, where)
    _check_kind(value, known[name].type, f"{name} of {where}")
    if name == "dtype" and value is not None:
      _check_dtype(value, where)
    values[name] = tuple(value) if isinstance(value, list) else value
  return functools.partial(factory, **values)


def _check_kind(value: Any, kind: Any, what: str) -> None:
  """Raises ValueError unless a value fits an annotation."""
  if not field_types.fits(value, kind):
    raise ValueError(f"{what} must be {field_types.words(kind)}, got {value!r}.")


def _check_dtype(value: Any, where: str) -> None:
  """Raises ValueError unless a text names a dtype."""
  try:
    jnp.dtype(value)
  except TypeError:
    raise ValueError(
      f"dtype of {where} must be one such as 'float32' or 'bfloat16', got {value!r}."
    ) from None


def _choice(node: ast.expr, table: Mapping[str, Any], where: str) -> Any:
  """Returns a layer's factory, or an initialiser, with its arguments.

  Args:
    node: A name, a name in quotes, or a call.
    table: Known layers and initialisers by name: factories of layers, and
      functions that return initialisers.
    where: Name of the argument, for messages.
  """
  if isinstance(node, ast.Constant) and isinstance(node.value, str):
    node = read_expression(node.value, where)
  call = split_call(node, where)
  if call is None or call.positional:
    raise ValueError(
      f"{where} must be NAME or NAME(ARGUMENT=VALUE), one of {[*table]}."
    )
  made = lookup(table, call.name, where)
  if _class_of(made) is not None:
    known = _settable(made)
    for name in call.named:
      if name not in known:
        raise ValueError(unknown_name(name, known, "argument", of=call.name))
    return _with_fields(made, known, call.named, call.name)
  named = {name: _literal(value, where) for name, value in call.named.items()}
  try:
    return made(**named)
  except TypeError as error:
    raise ValueError(f"{where}: {error}.") from None


def _in_blocks(
  made: Temporal, name: str, network: Network, places: Mapping[str, Any]
) -> Temporal:
  """Returns an operator in some blocks of a network."""
  sizes = network.stages()
  largest = max(sizes.values(), default=0)
  every = places.get("every", 1)
  if type(every) is not int or not 1 <= every <= largest:
    raise ValueError(
      f"every of {name} must be an integer from 1 to {largest}, got {every!r}."
    )
  where = Blocks(
    _places(places.get("stages"), f"stages of {name}", list(sizes)),
    _places(places.get("blocks"), f"blocks of {name}", range(1, largest + 1)),
    every,
  )
  if not any(
    where(stage, block)
    for stage, count in enumerate(sizes.values())
    for block in range(count)
  ):
    raise ValueError(f"no block of the network is among the blocks of {name}: {where}.")
  return dataclasses.replace(made, where=where)


def _places(value: Any, what: str, allowed: Sequence[int]) -> tuple[int, ...] | None:
  """Returns the places of one or several numbers among all; None for None."""
  if value is None:
    return None
  numbers = value if isinstance(value, tuple | list) else (value,)
  if not numbers:
    raise ValueError(f"{what} must be among {[*allowed]}, got none of them.")
  for number in numbers:
    if type(number) is not int or number not in allowed:
      raise ValueError(f"{what} must be among {[*allowed]}, got {value!r}.")
  return tuple(allowed.index(number) for number in numbers)


def _literal(node: ast.expr, where: str) -> Any:
  return read_literal(node, f"{_WHAT} {where}")


def _then(first: Temporal, second: Temporal) -> Temporal:
  """Returns the slots of two operators, of which the second comes after."""
  if first == Temporal():
    return second
  if first.followed_by is not None:
    second = _then(first.followed_by, second)
  return dataclasses.replace(first, followed_by=second)
