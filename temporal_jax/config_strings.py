"""Words of a config that name an entry of a table, with its arguments."""

import ast
import inspect
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

from temporal_jax.lookup import did_you_mean

_T = TypeVar("_T")
_DEEPEST = 100  # Python reads a thousand levels; a text has some ten.


def read_call(text: str, table: Mapping[str, type[_T]], what: str) -> _T:
  """Builds an entry from a text: "interval" or "interval(16, fps=60)".

  Nothing is evaluated: arguments are numbers, strings, tuples, True, False.

  Args:
    text: A name of the table, with its arguments in brackets if any.
    table: The classes by name.
    what: Kind of the entries, such as "sampling", for messages.

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
  if "#" in text:  # Text after it would be dropped.
    raise ValueError(f"the {what} {text!r} cannot be read: it holds a '#'.")
  try:
    node = ast.parse(text.strip(), mode="eval").body
  except SyntaxError as error:
    raise ValueError(
      f"the {what} {text!r} cannot be read: {error.msg} at column {error.offset}."
    ) from error
  except (MemoryError, RecursionError) as error:  # Thousands of brackets.
    raise ValueError(f"the {what} cannot be read: it is nested too deep.") from error
  level, depth = [node], 0
  while level:
    level, depth = (
      [part for one in level for part in ast.iter_child_nodes(one)],
      depth + 1,
    )
  if depth > _DEEPEST:
    raise ValueError(f"the {what} {text[:80]!r} cannot be read: it is nested too deep.")
  return node


def read_sequence(text: str, what: str) -> list[ast.expr]:
  """Parses words of a config that are separated by "|"; "" is none.

  Raises:
    ValueError: If they are no expression.
  """
  if not text.strip():
    return []
  node = read_expression(text, what)
  nodes = []
  while isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
    nodes.append(node.right)
    node = node.left
  return [node, *reversed(nodes)]


class Call(NamedTuple):
  """A name with its arguments, which are not read yet.

  Attributes:
    name: The name.
    positional: Arguments without a name.
    named: Arguments with one.
  """

  name: str
  positional: list[ast.expr]
  named: dict[str, ast.expr]


def split_call(node: ast.expr, what: str) -> Call | None:
  """Takes "name" or "name(argument, name=argument)" apart.

  Args:
    node: The parsed expression.
    what: Kind of the text, such as "sampling", for messages.

  Returns:
    The parts; None if it is neither.

  Raises:
    ValueError: If an argument has no name, as in "**more", or one is there
      twice.
  """
  name = node.func if isinstance(node, ast.Call) else node
  if not isinstance(name, ast.Name):
    return None
  if not isinstance(node, ast.Call):
    return Call(name.id, [], {})
  named = {word.arg: word.value for word in node.keywords}
  if len(named) < len(node.keywords) or None in named:
    raise ValueError(
      f"{what} {ast.unparse(node)!r} has an argument without name or twice."
    )
  return Call(name.id, node.args, named)


def read_literal(node: ast.expr, where: str) -> Any:
  """Returns the value of a number, string, tuple, True, False or None.

  Raises:
    ValueError: If it is something else.
  """
  try:
    return ast.literal_eval(node)
  except (RecursionError, ValueError) as error:
    raise ValueError(
      f"arguments of the {where} must be numbers, strings, tuples, True, False or None."
    ) from error


def build_call(node: ast.expr, table: Mapping[str, type[_T]], what: str) -> _T:
  """Builds an entry from a parsed text, see `read_call`."""
  text = ast.unparse(node)
  call = split_call(node, what)
  if call is None:
    raise ValueError(f"{text!r} is no {what}; known: {_signatures(table)}")
  if call.name not in table:
    hint = did_you_mean(call.name, table) or "."
    raise ValueError(f"unknown {what} {call.name!r}{hint} Known: {_signatures(table)}")
  where = f"{what} {text!r}"
  arguments = [read_literal(value, where) for value in call.positional]
  named = {name: read_literal(value, where) for name, value in call.named.items()}
  kind = table[call.name]
  try:
    inspect.signature(kind).bind(*arguments, **named)
  except TypeError as error:
    raise ValueError(
      f"{what} {text!r}: {error}; it is {_signature(call.name, kind)}."
    ) from error
  try:
    return kind(*arguments, **named)
  except ValueError as error:
    raise ValueError(f"{what} {text!r}: {error}") from error


def _signatures(table: Mapping[str, type]) -> str:
  """Returns all that can be written, a line each."""
  return "".join(f"\n  {_signature(*item)}" for item in table.items())


def _signature(name: str, kind: type) -> str:
  """Returns the call of a class of a table: "interval(rate, fps=30.0)"."""
  words = [
    value.name if value.default is value.empty else f"{value.name}={value.default!r}"
    for value in inspect.signature(kind).parameters.values()
  ]
  return f"{name}({', '.join(words)})" if words else name
