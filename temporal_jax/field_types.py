"""Whether a value that somebody wrote fits the annotation of a field."""

import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any

_SIMPLE = {bool: "True or False", int: "an integer", float: "a number", str: "a text"}


def fits(value: Any, kind: Any) -> bool:
  """Returns whether a value of Python's own types fits an annotation.

  Args:
    value: A number, text, tuple, list, mapping, True, False or None.
    kind: The annotation. Parts of a union that no such value can be, like
      arrays and functions, are passed over.
  """
  origin, parts = typing.get_origin(kind), typing.get_args(kind)
  if origin in (typing.Union, types.UnionType):
    return any(fits(value, part) for part in parts)
  if kind in (None, types.NoneType):
    return value is None
  if kind is float:
    return isinstance(value, int | float) and not isinstance(value, bool)
  if kind in _SIMPLE:
    return type(value) is kind
  if origin is tuple:
    items = isinstance(value, tuple | list) and len(value) == len(parts)
    return items and all(map(fits, value, parts))
  if origin is Sequence:
    return isinstance(value, tuple | list) and all(fits(x, parts[0]) for x in value)
  if origin is Mapping:
    return isinstance(value, Mapping) and all(
      fits(name, parts[0]) and fits(x, parts[1]) for name, x in value.items()
    )
  return False


def words(kind: Any) -> str:
  """Returns what fits an annotation, in words.

  It is "" if nothing that can be written does.
  """
  origin, parts = typing.get_origin(kind), typing.get_args(kind)
  if origin in (typing.Union, types.UnionType):
    return " or ".join(filter(None, map(words, parts)))
  if kind in (None, types.NoneType):
    return "None"
  if kind in _SIMPLE:
    return _SIMPLE[kind]
  items = [words(part) for part in parts]
  if origin is tuple and all(items):
    return f"({', '.join(items)})"
  if origin is Sequence and all(items):
    return f"a tuple, each {items[0]}"
  if origin is Mapping and all(items):
    return f"a dict, each {items[0]}: {items[1]}"
  return ""
