"""Charades: videos of 30 seconds with several classes each."""

import functools
import pathlib
from collections.abc import Iterator, Mapping, Sequence

from temporal_jax.data.annotations.data_set import DataSet
from temporal_jax.data.annotations.fields import class_number, numbered, seconds
from temporal_jax.data.annotations.read_tables import (
  File,
  lines,
  rows,
  warn_of_empty,
)
from temporal_jax.data.annotations.record import Annotations, Record
from temporal_jax.validation import fill_template


def read_charades(
  files: Mapping[str, File],
  classes: File,
  *,
  path: str = "{id}.mp4",
  parts: Sequence[str] = (),
) -> Annotations:
  """Reads the published CSV files; a label is the set of a video's classes.

  Args:
    files: Files by split: {"train": "Charades_v1_train.csv", "test":
      "Charades_v1_test.csv"}.
    classes: Charades_v1_classes.txt, lines "c000 Holding some clothes".
    path: Path of a video, from id.
    parts: Splits that take the labelled parts of videos one by one, ("train",)
      as ATM does; those that do not stop after they start are left out, with
      a warning.

  Raises:
    ValueError: If a row is wrong or its class unknown.
  """
  codes = dict(_codes(classes))
  numbers = numbered(list(codes))
  records = []
  for split, file in files.items():
    empty = []
    for where, row in rows(file, ("id", "actions", "length")):
      video = row["id"]
      length = seconds(where, "length", row["length"])
      actions = [
        (class_number(where, numbers, code), start, min(stop, length))
        for code, start, stop in _actions(where, row["actions"])
      ]
      common = {
        "path": fill_template("path", path, id=video),
        "split": split,
        "origin": video,
      }
      if split not in parts:
        label = frozenset(number for number, _, _ in actions)
        records.append(Record(id=video, label=label, **common))
        continue
      empty += [video for _, start, stop in actions if stop <= start]
      records += [
        Record(
          id=f"{video}_{place}",
          label=frozenset([number]),
          start=start,
          stop=stop,
          **common,
        )
        for place, (number, start, stop) in enumerate(actions)
        if stop > start
      ]
    warn_of_empty(file, empty)
  return Annotations(records, tuple(codes.values()), multi_label=True)


def _codes(file: File) -> Iterator[tuple[str, str]]:
  """Yields the classes' codes and names."""
  for where, line in lines(file):
    code, _, name = line.partition(" ")
    if not name:
      raise ValueError(f"{where}: needs a code and a name, got {line!r}.")
    yield code, name


def _actions(where: str, cell: str) -> Iterator[tuple[str, float, float]]:
  """Yields code, start and stop of "c092 11.90 21.20;c147 0.00 12.60"."""
  for action in filter(None, cell.split(";")):
    words = action.split()
    if len(words) != 3:
      raise ValueError(
        f"{where}: an action needs class, start and stop, got {action!r}."
      )
    start, stop = (seconds(where, "actions", word) for word in words[1:])
    yield words[0], start, stop


_SPLITS = {"train": "Charades_v1_train.csv", "test": "Charades_v1_test.csv"}
_CLASSES = "Charades_v1_classes.txt"
_FILES = (*_SPLITS.values(), _CLASSES)


def _read(folder: pathlib.Path, *, parts: Sequence[str] = ()) -> Annotations:
  files = {split: folder / name for split, name in _SPLITS.items()}
  return read_charades(files, folder / _CLASSES, parts=parts)


DATA_SETS: Mapping[str, DataSet] = {
  "charades": DataSet(read=_read, files=_FILES, videos="`ID.mp4`"),
  "charades_parts": DataSet(
    read=functools.partial(_read, parts=("train",)),
    files=_FILES,
    videos="`ID.mp4`; labelled parts in training, whole videos in tests",
  ),
}
