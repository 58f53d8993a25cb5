"""Moments in Time: clips of three seconds, one folder per class."""

import pathlib
from collections.abc import Mapping

from temporal_jax.data.annotations.data_set import DataSet
from temporal_jax.data.annotations.fields import (
  class_number,
  in_order,
  numbered,
  whole,
)
from temporal_jax.data.annotations.read_tables import File, fields, rows
from temporal_jax.data.annotations.record import Annotations, Record

_FOLDERS = {"train": "training", "test": "validation"}


def read_moments_in_time(
  files: Mapping[str, File],
  categories: File,
  *,
  folders: Mapping[str, str] = _FOLDERS,
) -> Annotations:
  """Reads the published CSV files: path,class,votes for it,votes against it.

  Args:
    files: Files by split: {"train": "trainingSet.csv", "test":
      "validationSet.csv"}.
    categories: moments_categories.txt, lines "class,number".
    folders: That hold the videos of a split.

  Raises:
    ValueError: If a line is wrong or its class unknown.
  """
  given = (
    (whole(where, name, number), name)
    for where, (name, number) in fields(categories, 2, ",")
  )
  names = in_order(given, str(categories))
  numbers = numbered(names)
  columns = ("path", "label", "agree", "disagree")
  records = [
    Record(
      id=row["path"],
      path=f"{folders[split]}/{row['path']}",
      label=class_number(where, numbers, row["label"]),
      split=split,
    )
    for split, file in files.items()
    for where, row in rows(file, columns, header=False)
  ]
  return Annotations(records, names)


_SPLITS = {"train": "trainingSet.csv", "test": "validationSet.csv"}
_CATEGORIES = "moments_categories.txt"


def _read(folder: pathlib.Path) -> Annotations:
  files = {split: folder / name for split, name in _SPLITS.items()}
  return read_moments_in_time(files, folder / _CATEGORIES)


DATA_SETS: Mapping[str, DataSet] = {
  "mit": DataSet(
    read=_read,
    files=(*_SPLITS.values(), _CATEGORIES),
    videos="`training/class/`, `validation/class/`",
  )
}
