"""Reads the names of classes from a file."""

import collections
import csv
import pathlib

from temporal_jax.untrusted.json_text import parse_json


def read_labels(path: str | pathlib.Path) -> tuple[str, ...]:
  """Reads the names of classes, in the order of their numbers.

  Args:
    path: A text file with one name per line; JSON, a list of names or an object
      {name: number} or {number: name}, or a config.json of transformers, whose
      "id2label" is one; or CSV with the columns id and name.

  Raises:
    FileNotFoundError: If there is no such file.
    ValueError: If it is none of these, a number is missing or a name is there
      twice.
  """
  path = pathlib.Path(path).expanduser()
  try:
    text = path.read_text(encoding="utf-8-sig")
  except UnicodeDecodeError:
    raise ValueError(f"{path} is not text.") from None
  if path.suffix == ".json":
    names = _from_json(path, text)
  elif path.suffix == ".csv":
    try:
      rows = list(csv.DictReader(text.splitlines()))
    except csv.Error as error:
      raise ValueError(f"{path} is no CSV: {error}.") from None
    if not rows or not {"id", "name"} <= rows[0].keys():
      raise ValueError(f"{path} must have the columns id and name.")
    names = _in_order(path, [(row["id"], row["name"]) for row in rows])
  else:
    names = text.splitlines()
  names = [name.strip() for name in names]
  counts = collections.Counter(names)
  twice = sorted(name for name, count in counts.items() if count > 1)
  if not all(names) or twice or not names:
    raise ValueError(f"{path} has empty lines or names twice: {twice}.")
  return tuple(names)


def _from_json(path: pathlib.Path, text: str) -> list[str]:
  value = parse_json(text, str(path))
  if isinstance(value, dict) and isinstance(value.get("id2label"), dict):
    value = value["id2label"]
  if isinstance(value, dict):
    items = list(value.items())
    if all(isinstance(number, int) for _, number in items):
      items = [(number, name) for name, number in items]
    return _in_order(path, items)
  if isinstance(value, list) and all(isinstance(name, str) for name in value):
    return value
  raise ValueError(f"{path} must hold a list of names or an object.")


def _in_order(path: pathlib.Path, items: list[tuple]) -> list[str]:
  """Returns the names of numbered ones.

  Raises:
    ValueError: If they are not numbered 0 ... L - 1.
  """
  try:
    named = {int(number): str(name) for number, name in items}
  except (TypeError, ValueError):
    raise ValueError(f"{path}: the numbers of classes must be whole.") from None
  if sorted(named) != list(range(len(items))):
    raise ValueError(
      f"{path} must number its {len(items)} classes from 0 without gaps."
    )
  return [named[number] for number in range(len(items))]
