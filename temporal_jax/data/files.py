"""Listing a user's own videos: a folder a class, or a CSV file."""

import contextlib
import gc
import hashlib
import operator
import os
import pathlib
from collections.abc import Iterator, Mapping, Sequence

from absl import logging

from temporal_jax.data.labels import ClassNames, Label
from temporal_jax.data.sources import FileSource
from temporal_jax.data.video_table import (
  ONE,
  SEVERAL,
  SPLITS,
  Names,
  Row,
  Table,
  read_table,
)

SUFFIXES = (".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm")


@contextlib.contextmanager
def _without_collection() -> Iterator[None]:
  """Does not look for cycles meanwhile: a million rows have none."""
  enabled = gc.isenabled()
  gc.disable()
  try:
    yield
  finally:
    if enabled:
      gc.enable()


@_without_collection()
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
  table = _folder_table(root) if root.is_dir() else read_table(root, tasks)
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
  if table.columns not in ((ONE,), (SEVERAL,)):
    class_names = dict(zip(table.columns, names, strict=True))
  labels = {
    distinct: _label(table.columns, distinct, numbers)
    for distinct in {row.names for row in table.rows}
  }
  for rows in splits.values():
    rows.sort(key=operator.attrgetter("path"))
  return {
    split: FileSource(
      [(row.path, labels[row.names]) for row in rows],
      class_names,
      multi_label=table.columns == (SEVERAL,),
    )
    for split, rows in splits.items()
  }


def _folder_table(root: pathlib.Path) -> Table:
  """Lists a folder; a class is a folder's name."""
  return Table((ONE,), _folder(root))


def _folder(root: pathlib.Path) -> list[Row]:
  """Lists root/class/video, or root/split/class/video."""
  folders = {path.name for path in root.iterdir() if path.is_dir()}
  if folders and folders <= set(SPLITS):
    return [
      row._replace(split=split)
      for split in sorted(folders)
      for row in _folder(root / split)
    ]
  return [
    Row(str(path), ((path.parent.name,),), "")
    for path in sorted(root.glob("*/*"))
    if path.suffix.lower() in SUFFIXES
  ]


def _label(
  columns: tuple[str, ...],
  names: Names,
  numbers: Sequence[Mapping[str, int]],
) -> Label:
  """Returns the label of a row of these names, of their numbers."""
  found = [
    tuple(number[name] for name in of_column)
    for number, of_column in zip(numbers, names, strict=True)
  ]
  if columns == (SEVERAL,):
    return frozenset(found[0])
  return found[0][0] if columns == (ONE,) else sum(found, ())


def _split(table: Table, test_fraction: float) -> dict[str, list[Row]]:
  """Returns the rows of each split."""
  groups: dict[tuple, list[Row]] = {}
  splits = {split: [] for split in SPLITS}
  for row in table.rows:
    if row.split:
      splits[row.split].append(row)
    else:
      key = row.names if table.columns == (ONE,) else ()
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
  names: Names,
  trained: list[Row],
) -> None:
  """Tells of classes that no training video has."""
  for place, column in enumerate(columns):
    seen = {name for row in trained for name in row.names[place]}
    untrained = [name for name in names[place] if name not in seen]
    if untrained and column == ONE:
      raise ValueError(f"no training video for the classes {untrained}.")
    if untrained:  # EPIC-Kitchens tests nouns that it does not train.
      logging.warning("no training video: %s %s", column, untrained)


def _name(path: str) -> bytes:
  """The part of a path that does not change when the data moves."""
  return "/".join(path.replace(os.sep, "/").rsplit("/", 2)[-2:]).encode()
