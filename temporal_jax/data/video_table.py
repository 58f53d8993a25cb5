"""A CSV file that lists videos, read as fast as a million rows need."""

import csv
import operator
import os
import pathlib
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from temporal_jax.data.regular_files import check_no_address

SPLITS = ("train", "test")
# Columns of a label that is one class, and of one that is several.
ONE, SEVERAL = "label", "labels"

Names = tuple[tuple[str, ...], ...]


class Row(NamedTuple):
  """A video, the names of its classes in each column, and "" or its split."""

  path: str
  names: Names
  split: str


class Table(NamedTuple):
  """The columns that hold labels, and the videos."""

  columns: tuple[str, ...]
  rows: list[Row]


def read_table(file: pathlib.Path, tasks: Sequence[str]) -> Table:
  """Lists the rows of a CSV file.

  Args:
    file: Its header names `path`, columns of labels and maybe `split`.
    tasks: The columns of labels; () takes all.

  Raises:
    ValueError: If a column is missing or a cell wrong.
  """
  with file.open(newline="") as lines:
    reader = csv.reader(lines)
    header = next(reader, [])
    columns = _label_columns(file, header, tasks)
    try:
      return Table(columns, [*_rows(reader, file.parent, header, columns)])
    except ValueError as error:
      raise ValueError(f"{file}, line {reader.line_num}: {error}") from error


def _rows(
  cells_of_rows: Iterator[list[str]],
  folder: pathlib.Path,
  header: list[str],
  columns: Sequence[str],
) -> Iterator[Row]:
  """Yields the rows; what can be done once is."""
  width = len(header)
  path_place = header.index("path")
  split_place = header.index("split") if "split" in header else None
  key_of = operator.itemgetter(*(header.index(column) for column in columns))
  known: dict[str | tuple[str, ...], Names] = {}
  joined = _joiner(folder)
  for cells in cells_of_rows:
    if len(cells) != width:
      if not cells:  # An empty line.
        continue
      cells = _filled(cells, header)
    path = cells[path_place]
    split = "" if split_place is None else cells[split_place]
    if split and split not in SPLITS:
      raise ValueError(f"split must be in {SPLITS}, got {split!r}.")
    if not path:
      raise ValueError("path is empty.")
    if "://" in path:
      check_no_address(path)
    key = key_of(cells)
    names = known.get(key)
    if names is None:
      parts = (key,) if isinstance(key, str) else key
      names = tuple(map(_names, columns, parts))
      known[key] = names
    yield Row(joined(path), names, split)


def _filled(cells: list[str], header: list[str]) -> list[str]:
  """Returns as many cells as the header has."""
  if len(cells) > len(header):
    raise ValueError(
      f"{cells[len(header) :]} are more cells than the header {header} has."
    )
  return cells + [""] * (len(header) - len(cells))


def _joiner(folder: pathlib.Path) -> Callable[[str], str]:
  """Returns what joins as pathlib does, which takes long, where it must."""
  start = os.path.join(str(folder), "")

  def joined(path: str) -> str:
    if "//" in path or "./" in path or path[0] in "/." or path[-1] in "/.":
      return str(folder / path)
    return start + path

  return joined if os.sep == "/" else lambda path: str(folder / path)


def _label_columns(
  file: pathlib.Path, header: list[str], tasks: Sequence[str]
) -> tuple[str, ...]:
  """Returns the columns that hold labels."""
  columns = tuple(name for name in header if name not in ("path", "split"))
  if tasks:
    missing = {"path", *tasks} - set(header)
    if missing:
      raise ValueError(
        f"{file} lacks the columns {sorted(missing)} of data.tasks "
        f"{tuple(tasks)}, its header is {header}."
      )
    if len(tasks) > 1 and SEVERAL in tasks:
      raise ValueError(f"{file}: {SEVERAL} cannot be one task of {tasks}.")
    return tuple(tasks)
  one_kind = len(columns) > 1 and not {ONE, SEVERAL} & set(columns)
  if "path" not in header or not (one_kind or columns in ((ONE,), (SEVERAL,))):
    raise ValueError(
      f"{file} needs the columns path and label (or labels, or one column for "
      f"each of several tasks), its header is {header}. Where it has others, "
      "config.data.tasks names the tasks."
    )
  return columns


def _names(column: str, cell: str) -> tuple[str, ...]:
  """Returns the classes that a cell names."""
  if column != SEVERAL:
    if not cell:
      raise ValueError(f"{column} is empty.")
    return (cell,)
  if not cell:
    return ()
  names = tuple(name.strip() for name in cell.split(";"))
  if not all(names) or len(set(names)) < len(names):
    raise ValueError(f"{column} holds an empty name or one twice: {cell!r}.")
  return names
