"""Manifest of the videos of a folder: one JSON object per line."""

import fractions
import json
import pathlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from temporal_jax.data.video.decoded_frames import DecodedIndex, Entry
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
  write_lines(file, _bad_lines(sorted(rows, key=lambda row: row["path"])))


def is_bad_list(file: str | pathlib.Path, rows: Iterable[Mapping]) -> bool:
  """Whether all lines of a file are lines of `write_bad`.

  Args:
    file: The file.
    rows: Rows of the manifest that the list belongs to.
  """
  known = set(_bad_lines(rows))
  try:
    with open(file, encoding="utf-8", newline="\n") as lines:
      return all(line.removesuffix("\n") in known for line in lines)
  except UnicodeDecodeError:
    return False


def _bad_lines(rows: Iterable[Mapping]) -> Iterator[str]:
  """Yields the line of each row of a bad file."""
  for row in rows:
    if row["error"]:
      yield f"{escaped(row['path'])}\t{escaped(row['error'])}"


def read_bad(file: str | pathlib.Path) -> dict[str, str]:
  """Returns the reason for each bad file of a list of `write_bad`, by path.

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


def write_index(index: DecodedIndex) -> dict[str, Any]:
  """Returns an index of frames as JSON takes it, for `read_index`."""
  rate = index.declared_rate
  return {
    "ticks": list(index.ticks),
    "time_base": str(index.time_base),
    "declared_rate": rate if rate is None else str(rate),
    "packets": [int(packet) for packet in index.packets],
    "entries": [list(entry) for entry in index.entries],
  }


def read_index(record: Any) -> DecodedIndex:
  """Returns the index of frames that `write_index` made a record of.

  Raises:
    ValueError: If it is something else.
  """
  try:
    rate = record["declared_rate"]
    index = DecodedIndex(
      ticks=[int(tick) for tick in record["ticks"]],
      time_base=fractions.Fraction(record["time_base"]),
      declared_rate=None if rate is None else fractions.Fraction(rate),
      packets=np.asarray(record["packets"], np.int32),
      entries=tuple(Entry(*entry) for entry in record["entries"]),
    )
  except (KeyError, OverflowError, TypeError, ZeroDivisionError) as error:
    raise ValueError(f"no index of frames: {error!r}.") from error
  if not index.entries or not len(index.ticks) == len(index.packets) > 0:
    raise ValueError(
      f"no index of frames: {len(index.ticks)} times, {len(index.packets)} "
      f"packets and {len(index.entries)} entries."
    )
  return index
