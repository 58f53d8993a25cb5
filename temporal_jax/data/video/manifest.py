"""What is known of the video files of a folder: one JSON object a line."""

import json
import pathlib
from collections.abc import Iterable, Mapping
from typing import Any

from temporal_jax.display import escaped, original
from temporal_jax.storage import write_lines

Row = dict[str, Any]


def read_manifest(file: str | pathlib.Path) -> dict[str, Row]:
  """Returns the rows of a manifest by path; none if there is no such file.

  A last line that a killed check left incomplete is not read.

  Raises:
    ValueError: If a line holds something else.
  """
  file = pathlib.Path(file)
  if not file.exists():
    return {}
  rows = {}
  lines = file.read_text(encoding="utf-8").split("\n")[:-1]
  for number, line in enumerate(lines, start=1):
    try:
      row = json.loads(line)
      rows[row["path"]] = row
    except (KeyError, RecursionError, TypeError, ValueError) as error:
      raise ValueError(
        f"{file}, line {number} is no row of a manifest: {line[:60]!r}."
      ) from error
  return rows


def write_manifest(file: str | pathlib.Path, rows: Iterable[Mapping]) -> None:
  """Writes a manifest that is never seen half written, by path."""
  ordered = sorted(rows, key=lambda row: row["path"])
  write_lines(file, (json.dumps(row) for row in ordered))


def write_bad(file: str | pathlib.Path, rows: Iterable[Mapping]) -> None:
  """Writes a list of bad files, a line each: the path, a tab and the error.

  Both are `display.escaped`, so that a file stays one line whatever its name:
  see `read_bad`.
  """
  ordered = sorted(rows, key=lambda row: row["path"])
  write_lines(
    file,
    (
      f"{escaped(row['path'])}\t{escaped(row['error'])}"
      for row in ordered
      if row["error"]
    ),
  )


def read_bad(file: str | pathlib.Path) -> dict[str, str]:
  """Returns why each file of a list of `write_bad` is bad, by path.

  Raises:
    ValueError: If a line is none of such a list.
  """
  found = {}
  content = pathlib.Path(file).read_text(encoding="utf-8")
  for number, line in enumerate(content.split("\n")[:-1], start=1):
    path, tab, error = line.partition("\t")
    try:
      if not tab:
        raise ValueError("there is no tab")
      found[original(path)] = original(error)
    except ValueError as error:
      raise ValueError(f"{file}, line {number} is no bad file: {error}.") from error
  return found
