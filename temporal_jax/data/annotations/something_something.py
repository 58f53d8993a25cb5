"""Something-Something: v1, folders of frames, and v2, webm files."""

import pathlib
from collections.abc import Mapping

from temporal_jax.data.annotations.data_set import DataSet
from temporal_jax.data.annotations.fields import (
  class_number,
  in_order,
  numbered,
  whole,
  words,
)
from temporal_jax.data.annotations.read_tables import (
  File,
  fields,
  read_json,
  read_names,
)
from temporal_jax.data.annotations.record import Annotations, Record


def read_something_something_v1(
  files: Mapping[str, File], labels: File, *, path: str = "{id}"
) -> Annotations:
  """Reads the published lists "id;class" of folders id/00001.jpg.

  Args:
    files: By split: {"train": "something-something-v1-train.csv", "test":
      "something-something-v1-validation.csv"}.
    labels: something-something-v1-labels.csv, a class a line.
    path: Of a folder, from id.

  Raises:
    ValueError: If a line is wrong or its class unknown.
  """
  names = read_names(labels)
  numbers = numbered(names)
  records = []
  for split, file in files.items():
    for where, (video, name) in fields(file, 2, ";"):
      number = class_number(where, numbers, name)
      records.append(Record(video, path.format(id=video), number, split))
  return Annotations(records, names)


def read_something_something_v2(
  files: Mapping[str, File], labels: File, *, path: str = "{id}.webm"
) -> Annotations:
  """Reads the published JSON lists.

  A class is an entry's template without its brackets.

  Args:
    files: By split: {"train": "something-something-v2-train.json", "test":
      "something-something-v2-validation.json"}, or without "v2-" as labels/ has
      them today.
    labels: The JSON object from class to number.
    path: Of a video, from id.

  Raises:
    ValueError: If an entry is wrong or its class unknown.
  """
  given = read_json(labels, dict)
  names = in_order(
    ((whole(labels, name, number), name) for name, number in given.items()),
    str(labels),
  )
  numbers = numbered(names)
  records = []
  for split, file in files.items():
    for place, entry in enumerate(read_json(file, list)):
      where = f"{file}, entry {place}"
      video = words(where, entry, "id")
      template = words(where, entry, "template")
      name = template.replace("[", "").replace("]", "")
      number = class_number(where, numbers, name)
      records.append(Record(video, path.format(id=video), number, split))
  return Annotations(records, names)


_LISTS_V1 = {
  "train": "something-something-v1-train.csv",
  "test": "something-something-v1-validation.csv",
}
_LABELS_V1 = "something-something-v1-labels.csv"
_LISTS_V2 = {"train": "train.json", "test": "validation.json"}
_LABELS_V2 = "labels.json"


def _read_v1(folder: pathlib.Path) -> Annotations:
  files = {split: folder / name for split, name in _LISTS_V1.items()}
  return read_something_something_v1(files, folder / _LABELS_V1)


def _read_v2(folder: pathlib.Path) -> Annotations:
  files = {split: folder / name for split, name in _LISTS_V2.items()}
  return read_something_something_v2(files, folder / _LABELS_V2)


DATA_SETS: Mapping[str, DataSet] = {
  "ssv1": DataSet(
    read=_read_v1,
    files=(*_LISTS_V1.values(), _LABELS_V1),
    videos="folders of frames `ID/00001.jpg`",
  ),
  "ssv2": DataSet(
    read=_read_v2, files=(*_LISTS_V2.values(), _LABELS_V2), videos="`ID.webm`"
  ),
}
