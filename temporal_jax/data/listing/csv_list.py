"""A CSV file that lists videos, read as fast as a million rows need."""

import array
import operator
import os
import pathlib
import sys
import types
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from temporal_jax.data.listing import text_files
from temporal_jax.data.listing.regular_files import check_no_address
from temporal_jax.data.listing.split_names import known_names, split_of
from temporal_jax.data.video.tar_member import TarMember
from temporal_jax.display import printable

# Columns of a label that is one class, and of one that is several.
ONE, SEVERAL = "label", "labels"
GROUP = "group"  # Column of the group, unless that is a task.
_MOST_KNOWN = 10_000  # Cells of several labels that are read once only.

# Names of classes in each column of labels.
Names = tuple[tuple[str, ...], ...]
# The same, or numbers of names, 4 bytes each: most sets of several labels
# belong to one video only, and a tuple of a tuple for each takes 150 bytes.
StoredNames = Names | bytes


class Row(NamedTuple):
  """A video, the names of its classes in each column, its split and its group.

  The split is "train", "validation", "test" or, where it is not given, "".
  Videos of one group, such as the clips of a film, depend on each other; one
  without a group has "".
  """

  path: str
  names: StoredNames
  split: str
  group: str = ""


class Table(NamedTuple):
  """Videos with the names of their classes.

  Attributes:
    columns: Those that hold labels.
    rows: The videos.
    called: Names of the splits in the list, by split.
    notes: Remarks on the list for the user, one sentence each.
    known: Names of the classes, where rows give their numbers.
    members: Places of the videos that are in tar files, by path.
  """

  columns: tuple[str, ...]
  rows: list[Row]
  called: dict[str, str]
  notes: tuple[str, ...] = ()
  known: Sequence[str] = ()
  members: Mapping[str, TarMember] = types.MappingProxyType({})

  def names(self, stored: StoredNames) -> Names:
    """Returns the names of a row."""
    if not isinstance(stored, bytes):
      return stored
    return (tuple(self.known[i] for i in array.array("I", stored)),)


def _same_classes(one: StoredNames, other: StoredNames) -> bool:
  """Whether two rows have the same classes in each column, in any order."""
  if one == other:
    return True
  first, second = ([set(x) for x in _columns(stored)] for stored in (one, other))
  return first == second


def _columns(stored: StoredNames) -> Sequence[Collection]:
  """Returns names, or numbers of names, in each column."""
  return (array.array("I", stored),) if isinstance(stored, bytes) else stored


def read_table(
  file: pathlib.Path, tasks: Sequence[str], *, is_copy: bool = False
) -> Table:
  """Lists the rows of a CSV file, see `text_files.Table`.

  Args:
    file: Its header names `path`, columns of labels and maybe `split` and
      `group`.
    tasks: The columns of labels; () takes all.
    is_copy: Whether it is the copy of a list elsewhere, so that no path can
      begin in its folder.

  Raises:
    ValueError: If a column is missing or twice there, a cell is wrong, or two
      rows have different classes for a video; the line is named.
  """
  table = text_files.Table(file, ("path", *tasks))
  columns = _label_columns(file, table.header, tasks)
  called: dict[str, str] = {}
  numbers: dict[str, int] = {}
  rows, lines = [], array.array("Q")
  folder = None if is_copy else file.parent
  for row in _rows(table, folder, columns, called, numbers):
    rows.append(row)
    lines.append(table.line)
  notes = _note_repeated(file, rows, lines)
  return Table(columns, rows, called, tuple(notes), tuple(numbers))


def _note_repeated(
  file: pathlib.Path, rows: Sequence[Row], lines: Sequence[int]
) -> list[str]:
  """Returns sentences on videos in several rows, one for each kind of repeat.

  Raises:
    ValueError: If two rows have different classes for a video.
  """
  # A dict of a million paths takes 100 MB, their hashes 8.
  hashes = np.fromiter((hash(row.path) for row in rows), np.int64, len(rows))
  hashes.sort()
  if (hashes[1:] != hashes[:-1]).all():
    return []
  first: dict[str, int] = {}
  repeated, shared = [], []
  for place, row in enumerate(rows):
    known = first.setdefault(row.path, place)
    if known == place:
      continue
    if not _same_classes(rows[known].names, row.names):
      raise ValueError(
        f"{file}, line {lines[place]}: the video {row.path!r} has other "
        f"classes here than in line {lines[known]}; several classes of a video "
        f"belong in one cell of a column {SEVERAL}."
      )
    others = repeated if rows[known].split == row.split else shared
    others.append((lines[place], lines[known]))
  return [
    f"{len(lines)} rows of {printable(str(file))} {what}, the first of them "
    f"line {lines[0][0]} as line {lines[0][1]}."
    for lines, what in (
      (repeated, "repeat another row and count again"),
      (shared, "list a video of another split again"),
    )
    if lines
  ]


def _rows(
  table: text_files.Table,
  folder: pathlib.Path | None,
  columns: Sequence[str],
  called: dict[str, str],
  numbers: dict[str, int],
) -> Iterator[Row]:
  """Yields the rows; common work is done once.

  Notes how splits are called, and gives each name of several labels a number.
  Without a folder all paths must be absolute.

  Raises:
    ValueError: If a cell is wrong.
  """
  path_place = table.place("path")
  split_place = table.place("split") if "split" in table.header else None
  is_grouped = GROUP in table.header and GROUP not in columns
  group_place = table.place(GROUP) if is_grouped else None
  key_of = operator.itemgetter(*map(table.place, columns))
  known: dict[str | tuple[str, ...], StoredNames] = {}
  splits = {"": ""}
  several = columns == (SEVERAL,)
  joined = str if folder is None else _joiner(folder)
  for cells in table:
    try:
      path = cells[path_place]
      name = "" if split_place is None else cells[split_place]
      split = splits.get(name)
      if split is None:
        split = splits[name] = _split(name)
        called.setdefault(split, name)
      if not path:
        raise ValueError("path is empty.")
      if "://" in path:
        check_no_address(path)
      if folder is None and not os.path.isabs(path):
        raise ValueError(
          "path must be absolute, as the folder of a list in a bucket is not on this "
          f"machine; got {path!r}."
        )
      key = key_of(cells)
      names = known.get(key)
      if names is None:
        parts = (key,) if isinstance(key, str) else key
        names = tuple(map(_names, columns, parts))
        if several:
          names = numbered(names[0], numbers)
        if not several or len(known) < _MOST_KNOWN:
          known[key] = names
    except ValueError as error:
      raise ValueError(f"{table.where}: {error}") from error
    # Interned: a million rows of a thousand films keep a thousand names.
    group = "" if group_place is None else sys.intern(cells[group_place])
    yield Row(joined(path), names, split, group)


def numbered(names: Sequence[str], numbers: dict[str, int]) -> bytes:
  """Returns numbers for names, a new one for each new name."""
  found = [numbers.setdefault(name, len(numbers)) for name in names]
  return array.array("I", found).tobytes()


def _split(name: str) -> str:
  split = split_of(name)
  if split is None:
    raise ValueError(f"split must be empty or one of {known_names()}; got {name!r}.")
  return split


def _joiner(folder: pathlib.Path) -> Callable[[str], str]:
  """Returns a fast join of paths, with pathlib only where it must."""
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
  columns = tuple(name for name in header if name not in ("path", "split", GROUP))
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
  one_kind = len(columns) > 1 and all(columns) and not {ONE, SEVERAL} & set(columns)
  known = one_kind or set(columns) in ({ONE}, {SEVERAL})
  if "path" not in header or not known:
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
  if "|" in cell:
    raise ValueError(f"classes of {column} are separated by ;, got {cell!r}.")
  names = tuple(name.strip() for name in cell.split(";"))
  if not all(names) or len(set(names)) < len(names):
    raise ValueError(f"{column} holds an empty name or one twice: {cell!r}.")
  return names
