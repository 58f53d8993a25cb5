"""What is known of the video files of a folder: one JSON object a line."""

import json
import os
import pathlib
from collections.abc import Iterable, Mapping
from typing import Any

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
  for number, line in enumerate(file.read_text().split("\n")[:-1], start=1):
    try:
      row = json.loads(line)
      rows[row["path"]] = row
    except (KeyError, TypeError, ValueError) as error:
      raise ValueError(
        f"{file}, line {number} is no row of a manifest: {line[:60]!r}."
      ) from error
  return rows


def write_manifest(file: str | pathlib.Path, rows: Iterable[Mapping]) -> None:
  """Writes a manifest that is never seen half written, by path."""
  ordered = sorted(rows, key=lambda row: row["path"])
  write_lines(file, (json.dumps(row) for row in ordered))


def write_bad(file: str | pathlib.Path, rows: Iterable[Mapping]) -> None:
  """Writes the path, a tab and the error of each row that has one."""
  ordered = sorted(rows, key=lambda row: row["path"])
  write_lines(
    file,
    (f"{row['path']}\t{row['error']}" for row in ordered if row["error"]),
  )


def write_lines(file: str | pathlib.Path, lines: Iterable[str]) -> None:
  """Writes a text file that is never seen half written."""
  file = pathlib.Path(file)
  unfinished = file.with_name(file.name + ".tmp")
  # Names of files need not be UTF-8.
  with unfinished.open("w", errors="surrogateescape") as out:
    out.writelines(line + "\n" for line in lines)
    out.flush()
    os.fsync(out.fileno())
  unfinished.replace(file)
