"""Words of a config that name a class of a table, with its arguments."""

import ast
import inspect
from collections.abc import Mapping
from typing import TypeVar

from temporal_jax.lookup import did_you_mean

_T = TypeVar("_T")


def read_call(text: str, table: Mapping[str, type[_T]], what: str) -> _T:
  """Builds what `text` says: "interval" or "interval(16, fps=60)".

  Nothing is evaluated: arguments are numbers, strings, tuples, True, False.

  Args:
    text: A name of the table, with its arguments in brackets if any.
    table: The classes by name.
    what: What they are, for messages.

  Raises:
    ValueError: If the text cannot be read, names nothing of the table, or gives
      an unknown argument or a wrong value.
  """
  return build_call(read_expression(text, what), table, what)


def read_expression(text: str, what: str) -> ast.expr:
  """Parses words of a config.

  Raises:
    ValueError: If they are no expression.
  """
  try:
    return ast.parse(text.strip(), mode="eval").body
  except SyntaxError as error:
    raise ValueError(
      f"the {what} {text!r} cannot be read: {error.msg} at column {error.offset}."
    ) from error


def build_call(node: ast.expr, table: Mapping[str, type[_T]], what: str) -> _T:
  """Builds what a parsed text says, see `read_call`."""
  text = ast.unparse(node)
  name = node.func if isinstance(node, ast.Call) else node
  if not isinstance(name, ast.Name):
    raise ValueError(f"{text!r} is no {what}; known: {_signatures(table)}")
  if name.id not in table:
    hint = did_you_mean(name.id, table) or "."
    raise ValueError(f"unknown {what} {name.id!r}{hint} Known: {_signatures(table)}")
  arguments, named = [], {}
  if isinstance(node, ast.Call):
    try:
      arguments = [ast.literal_eval(value) for value in node.args]
      named = {word.arg: ast.literal_eval(word.value) for word in node.keywords}
    except ValueError as error:
      raise ValueError(
        f"arguments of the {what} {text!r} must be numbers, strings, tuples, "
        "True or False."
      ) from error
    if len(named) < len(node.keywords) or None in named:
      raise ValueError(f"{what} {text!r} has an argument without name or twice.")
  kind = table[name.id]
  try:
    inspect.signature(kind).bind(*arguments, **named)
  except TypeError as error:
    raise ValueError(
      f"{what} {text!r}: {error}; it is {_signature(name.id, kind)}."
    ) from error
  try:
    return kind(*arguments, **named)
  except ValueError as error:
    raise ValueError(f"{what} {text!r}: {error}") from error


def _signatures(table: Mapping[str, type]) -> str:
  """Returns all that can be written, a line each."""
  return "".join(f"\n  {_signature(*item)}" for item in table.items())


def _signature(name: str, kind: type) -> str:
  """Returns how a class of a table is written: "interval(rate, fps=30.0)"."""
  words = [
    value.name if value.default is value.empty else f"{value.name}={value.default!r}"
    for value in inspect.signature(kind).parameters.values()
  ]
  return f"{name}({', '.join(words)})" if words else name
