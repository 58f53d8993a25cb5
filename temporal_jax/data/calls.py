"""Words of a config that name a class of a table, with its arguments."""

import ast
import difflib
import inspect
from collections.abc import Mapping
from typing import TypeVar

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
  try:
    node = ast.parse(text.strip(), mode="eval").body
  except SyntaxError as error:
    raise ValueError(
      f"{what} must be a name, with arguments in brackets if any, got "
      f"{text!r}: {error.msg}."
    ) from error
  name = node.func if isinstance(node, ast.Call) else node
  if not isinstance(name, ast.Name) or name.id not in table:
    word = name.id if isinstance(name, ast.Name) else text
    near = difflib.get_close_matches(word, table, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    raise ValueError(
      f"{what} must be one of {', '.join(table)}, got {text!r}{hint}"
    )
  arguments, named = [], {}
  if isinstance(node, ast.Call):
    try:
      arguments = [ast.literal_eval(value) for value in node.args]
      named = {word.arg: ast.literal_eval(word.value) for word in node.keywords}
    except ValueError as error:
      raise ValueError(
        f"arguments of {what} {text!r} must be numbers, strings, tuples, True "
        "or False."
      ) from error
  kind = table[name.id]
  try:
    inspect.signature(kind).bind(*arguments, **named)
  except TypeError as error:
    raise ValueError(
      f"{what} must be {signature(name.id, kind)}, got {text!r}: {error}."
    ) from error
  try:
    return kind(*arguments, **named)
  except ValueError as error:
    raise ValueError(f"{what} {text!r}: {error}") from error


def signature(name: str, kind: type) -> str:
  """Returns how a class of a table is written: "interval(rate, fps=30.0)"."""
  words = [
    value.name
    if value.default is value.empty
    else f"{value.name}={value.default!r}"
    for value in inspect.signature(kind).parameters.values()
  ]
  return f"{name}({', '.join(words)})" if words else name
