"""Listing a user's own videos: a folder a class, or a CSV file."""

import csv
import hashlib
import pathlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from absl import logging

from temporal_jax.data.labels import ClassNames, Label
from temporal_jax.data.sources import FileSource

SUFFIXES = (".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm")
SPLITS = ("train", "test")

# Columns of a label that is one class, and of one that is several.
_ONE, _SEVERAL = "label", "labels"


class _Row(NamedTuple):
  """A video, the names of its classes in each column, and "" or its split."""

  path: str
  names: tuple[tuple[str, ...], ...]
  split: str


class _Table(NamedTuple):
  """The columns that hold labels, and the videos."""

  columns: tuple[str, ...]
  rows: list[_Row]


def file_sources(
  root: str | pathlib.Path, test_fraction: float, tasks: Sequence[str] = ()
) -> dict[str, FileSource]:
  """Lists the videos of a folder or a CSV file, train and test apart.

  A folder holds `class/video.mp4`, or `train/class/video.mp4` and
  `test/class/video.mp4`. A CSV file has a header with `path` and, if wanted,
  `split` (train or test); paths are relative to the file. Its other columns are
  one of
  - `label`: the class of the video,
  - `labels`: its classes, between semicolons; an empty cell is none of them,
  - several, each a task: `verb,noun`, with the class of the video in it.

  Where nothing says the split, each class gives `test_fraction` of its videos
  to the test, chosen by a hash of their names: always the same ones. With
  several labels a video, all videos together do.

  Args:
    root: The folder or the CSV file.
    test_fraction: In [0, 1).
    tasks: Columns that are tasks, in the order of the labels, where the file
      has others as well; () takes all.

  Returns:
    "train" and "test" sources with the same `class_names`, sorted; a dict of
    those of each task where there are several.

  Raises:
    FileNotFoundError: If `root` does not exist.
    ValueError: If it lists no video, a column is missing, a split is unknown,
      a cell is wrong, or a class of `label` has no video to train on.
  """
  root = pathlib.Path(root).expanduser()
  if not root.exists():
    raise FileNotFoundError(f"data.root {root} does not exist.")
  if root.is_dir() and tasks:
    raise ValueError(
      f"data.tasks {tuple(tasks)} need a CSV file with these columns; "
      f"data.root {root} is a folder."
    )
  table = _Table((_ONE,), _folder(root)) if root.is_dir() else _csv(root, tasks)
  if not table.rows:
    raise ValueError(
      f"{root} lists no video; a folder holds class/video with one of "
      f"{', '.join(SUFFIXES)}."
    )
  names = tuple(
    tuple(sorted({name for row in table.rows for name in row.names[column]}))
    for column in range(len(table.columns))
  )
  numbers = [{name: i for i, name in enumerate(known)} for known in names]
  splits = _split(table, test_fraction)
  _check_trained(table.columns, names, splits["train"])
  class_names: ClassNames = names[0]
  if table.columns not in ((_ONE,), (_SEVERAL,)):
    class_names = dict(zip(table.columns, names, strict=True))
  return {
    split: FileSource(
      [(row.path, _label(table.columns, row, numbers)) for row in sorted(rows)],
      class_names,
      multi_label=table.columns == (_SEVERAL,),
    )
    for split, rows in splits.items()
  }


def _folder(root: pathlib.Path) -> list[_Row]:
  """Lists root/class/video, or root/split/class/video."""
  folders = {path.name for path in root.iterdir() if path.is_dir()}
  if folders and folders <= set(SPLITS):
    return [
      row._replace(split=split)
      for split in sorted(folders)
      for row in _folder(root / split)
    ]
  return [
    _Row(str(path), ((path.parent.name,),), "")
    for path in sorted(root.glob("*/*"))
    if path.suffix.lower() in SUFFIXES
  ]


def _csv(file: pathlib.Path, tasks: Sequence[str]) -> _Table:
  """Lists the rows of a CSV file."""
  with file.open(newline="") as lines:
    reader = csv.DictReader(lines)
    header = list(reader.fieldnames or ())
    columns = _label_columns(file, header, tasks)
    rows = []
    for row in reader:
      where = f"{file}, line {reader.line_num}"
      if None in row:
        raise ValueError(
          f"{where}: {row[None]} are more cells than the header {header} has."
        )
      split = row.get("split") or ""
      if split not in ("", *SPLITS):
        raise ValueError(f"{where}: split must be in {SPLITS}, got {split!r}.")
      if not row["path"]:
        raise ValueError(f"{where}: path is empty.")
      names = tuple(_names(where, column, row[column]) for column in columns)
      rows.append(_Row(str(file.parent / row["path"]), names, split))
    return _Table(columns, rows)


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
    if len(tasks) > 1 and _SEVERAL in tasks:
      raise ValueError(f"{file}: {_SEVERAL} cannot be one task of {tasks}.")
    return tuple(tasks)
  one_kind = len(columns) > 1 and not {_ONE, _SEVERAL} & set(columns)
  if "path" not in header or not (
    one_kind or columns in ((_ONE,), (_SEVERAL,))
  ):
    raise ValueError(
      f"{file} needs the columns path and label (or labels, or one column for "
      f"each of several tasks), its header is {header}. Where it has others, "
      "config.data.tasks names the tasks."
    )
  return columns


def _names(where: str, column: str, cell: str | None) -> tuple[str, ...]:
  """Returns the classes that a cell names."""
  if column != _SEVERAL:
    if not cell:
      raise ValueError(f"{where}: {column} is empty.")
    return (cell,)
  if not cell:
    return ()
  names = tuple(name.strip() for name in cell.split(";"))
  if not all(names) or len(set(names)) < len(names):
    raise ValueError(
      f"{where}: {column} holds an empty name or one twice: {cell!r}."
    )
  return names


def _label(
  columns: tuple[str, ...], row: _Row, numbers: Sequence[Mapping[str, int]]
) -> Label:
  """Returns the label of a row, of the numbers of its names."""
  found = [
    tuple(number[name] for name in of_column)
    for number, of_column in zip(numbers, row.names, strict=True)
  ]
  if columns == (_SEVERAL,):
    return frozenset(found[0])
  return found[0][0] if columns == (_ONE,) else sum(found, ())


def _split(table: _Table, test_fraction: float) -> dict[str, list[_Row]]:
  """Returns the rows of each split."""
  groups: dict[tuple, list[_Row]] = {}
  splits = {split: [] for split in SPLITS}
  for row in table.rows:
    if row.split:
      splits[row.split].append(row)
    else:
      key = row.names if table.columns == (_ONE,) else ()
      groups.setdefault(key, []).append(row)
  for rows in groups.values():
    rows.sort(key=lambda row: hashlib.sha256(_name(row.path)).digest())
    count = round(test_fraction * len(rows))
    if test_fraction > 0 and len(rows) > 1:
      count = min(max(count, 1), len(rows) - 1)
    splits["test"] += rows[:count]
    splits["train"] += rows[count:]
  return splits


def _check_trained(
  columns: tuple[str, ...],
  names: tuple[tuple[str, ...], ...],
  trained: list[_Row],
) -> None:
  """Tells of classes that no training video has."""
  for place, column in enumerate(columns):
    seen = {name for row in trained for name in row.names[place]}
    untrained = [name for name in names[place] if name not in seen]
    if untrained and column == _ONE:
      raise ValueError(f"no training video for the classes {untrained}.")
    if untrained:  # EPIC-Kitchens tests nouns that it does not train.
      logging.warning("no training video: %s %s", column, untrained)


def _name(path: str) -> bytes:
  """The part of a path that does not change when the data moves."""
  return "/".join(pathlib.Path(path).parts[-2:]).encode()
