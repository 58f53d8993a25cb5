"""Checks values that somebody wrote against the annotations of fields."""

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
  origin, parts = _take_apart(kind)
  if origin is typing.Union:
    return any(fits(value, part) for part in parts)
  if origin is None:
    return value is None
  if origin is float:
    return isinstance(value, int | float) and not isinstance(value, bool)
  if origin in _SIMPLE:
    return type(value) is origin
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
  """Returns the values that fit an annotation, in words.

  It is "" if nothing that can be written does.
  """
  origin, parts = _take_apart(kind)
  if origin is None:
    return "None"
  if origin in _SIMPLE:
    return _SIMPLE[origin]
  if origin not in (typing.Union, tuple, Sequence, Mapping):
    return ""
  items = [words(part) for part in parts]
  if origin is typing.Union:
    return " or ".join(filter(None, items))
  if not all(items):
    return ""
  if origin is tuple:
    return f"({', '.join(items)})"
  if origin is Sequence:
    return f"a tuple, each {items[0]}"
  return f"a dict, each {items[0]}: {items[1]}"


def _take_apart(kind: Any) -> tuple[Any, tuple[Any, ...]]:
  """Returns the outer type of an annotation, and its arguments.

  It is a simple type, None, `Union`, `tuple`, `Sequence`, `Mapping`, or
  something else.
  """
  origin, parts = typing.get_origin(kind) or kind, typing.get_args(kind)
  if origin is types.UnionType:
    origin = typing.Union
  elif origin is types.NoneType:
    origin = None
  elif origin is tuple and parts[1:] == (...,):
    origin, parts = Sequence, parts[:1]
  return origin, parts
