"""JSON, read strictly: within bounds, and nothing in it is dropped."""

import json
import math
import os
import pathlib
from typing import Any, NoReturn

# Descriptions have about 10 levels; deeper values could not be walked by
# recursive code, json's own among it.
MAX_DEPTH = 64
_SHOWN = 40  # Characters of a key that messages show.


def read_json(file: str | os.PathLike, *, max_bytes: int) -> Any:
  """Reads a JSON file in UTF-8.

  Args:
    file: A regular file, or a link to one.
    max_bytes: Size of the largest file that is read.

  Raises:
    OSError: If it cannot be read.
    ValueError: If it is no regular file, larger than `max_bytes` or not UTF-8,
      or see `parse_json`.
  """
  path = pathlib.Path(file)
  if path.exists() and not path.is_file():
    raise ValueError(f"{file} must be a regular file, it is something else.")
  with path.open("rb") as opened:
    content = opened.read(max_bytes + 1)
  if len(content) > max_bytes:
    raise ValueError(f"{file} must have at most {max_bytes} bytes, it has more.")
  try:
    text = content.decode("utf-8-sig")
  except UnicodeDecodeError as error:
    raise ValueError(
      f"{file} must be JSON in UTF-8; byte {error.start} is no UTF-8."
    ) from None
  return parse_json(text, str(file))


def parse_json(text: str, where: str) -> Any:
  """Parses JSON.

  Args:
    text: The JSON.
    where: The file and the place in it, for messages.

  Returns:
    The value; it has at most `MAX_DEPTH` levels.

  Raises:
    ValueError: If the text is no JSON, holds NaN, an infinite number or text
      that is no Unicode (half of a surrogate pair), gives a key of an object
      twice, or is deeper than `MAX_DEPTH`.
  """
  try:
    value = json.loads(
      text,
      object_pairs_hook=_distinct,
      parse_constant=_refuse_constant,
      parse_float=_finite,
    )
  except json.JSONDecodeError as error:
    raise ValueError(
      f"{where} is not JSON: line {error.lineno}, column {error.colno}: {error.msg}."
    ) from None
  except ValueError as error:
    raise ValueError(f"{where} is not JSON: {error}.") from None
  except RecursionError:
    raise ValueError(_too_deep(where)) from None
  _check_depth(value, where)
  try:
    # Escapes such as \ud800 are the only way to such text.
    if "\\u" in text:
      json.dumps(value, ensure_ascii=False).encode()
  except UnicodeEncodeError:
    raise ValueError(
      f"{where} holds text that is no Unicode (half of a surrogate pair)."
    ) from None
  return value


def _check_depth(value: Any, where: str) -> None:
  """Raises ValueError if lists and objects are nested too deep."""
  level = [value]
  for _ in range(MAX_DEPTH + 1):
    level = [
      item
      for outer in level
      if isinstance(outer, dict | list)
      for item in (outer.values() if isinstance(outer, dict) else outer)
    ]
    if not level:
      return
  raise ValueError(_too_deep(where))


def _too_deep(where: str) -> str:
  return f"{where} is nested deeper than {MAX_DEPTH} lists and objects."


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
  """Makes an object of pairs whose keys differ."""
  found = dict(pairs)
  if len(found) < len(pairs):
    keys = set()
    for key, _ in pairs:
      if key in keys:
        raise ValueError(f"the key {key[:_SHOWN]!r} is there twice")
      keys.add(key)
  return found


def _refuse_constant(name: str) -> NoReturn:
  raise ValueError(f"{name} is no JSON number")


def _finite(text: str) -> float:
  """Returns a number; JSON has no infinite ones, but 1e999 reads as one."""
  number = float(text)
  if not math.isfinite(number):
    raise ValueError(f"{text[:_SHOWN]} is too large a number")
  return number
