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
from temporal_jax.validation import fill_template


def read_something_something_v1(
  files: Mapping[str, File], labels: File, *, path: str = "{id}"
) -> Annotations:
  """Reads the published lists "id;class" of folders id/00001.jpg.

  Args:
    files: Files by split: {"train": "something-something-v1-train.csv", "test":
      "something-something-v1-validation.csv"}.
    labels: something-something-v1-labels.csv, one class per line.
    path: Path of a folder, from id.

  Raises:
    ValueError: If a line is wrong or its class unknown.
  """
  names = read_names(labels)
  numbers = numbered(names)
  records = []
  for split, file in files.items():
    for where, (video, name) in fields(file, 2, ";"):
      number = class_number(where, numbers, name)
      records.append(
        Record(video, fill_template("path", path, id=video), number, split)
      )
  return Annotations(records, names)


def read_something_something_v2(
  files: Mapping[str, File], labels: File, *, path: str = "{id}.webm"
) -> Annotations:
  """Reads the published JSON lists.

  A class is an entry's template without its brackets.

  Args:
    files: Files by split: {"train": "something-something-v2-train.json",
      "test": "something-something-v2-validation.json"}, or without "v2-" as
      labels/ has them today.
    labels: The JSON object from class to number.
    path: Path of a video, from id.

  Raises:
    ValueError: If an entry is wrong or its class unknown.
  """
  names = _names_v2(labels)
  numbers = numbered(names)
  records = []
  for split, file in files.items():
    for place, entry in enumerate(read_json(file, list)):
      where = f"{file}, entry {place}"
      video = words(where, entry, "id")
      template = words(where, entry, "template")
      name = template.replace("[", "").replace("]", "")
      number = class_number(where, numbers, name)
      records.append(
        Record(video, fill_template("path", path, id=video), number, split)
      )
  return Annotations(records, names)


def _names_v2(labels: File) -> tuple[str, ...]:
  """Returns the class names in the order of their numbers."""
  given = read_json(labels, dict)
  pairs = ((whole(labels, name, number), name) for name, number in given.items())
  return in_order(pairs, str(labels))


_LISTS_V1 = {
  "train": "something-something-v1-train.csv",
  "test": "something-something-v1-validation.csv",
}
_LABELS_V1 = "something-something-v1-labels.csv"
_TEST_V1 = "something-something-v1-test.csv"
_LISTS_V2 = {"train": "train.json", "test": "validation.json"}
_LABELS_V2 = "labels.json"
# The second was published later: "id;class" without the template's brackets.
_TEST_V2, _ANSWERS_V2 = "test.json", "test-answers.csv"


def _read_v1(folder: pathlib.Path) -> Annotations:
  files = {split: folder / name for split, name in _LISTS_V1.items()}
  return read_something_something_v1(files, folder / _LABELS_V1)


def _read_v2(folder: pathlib.Path) -> Annotations:
  files = {split: folder / name for split, name in _LISTS_V2.items()}
  return read_something_something_v2(files, folder / _LABELS_V2)


def _read_test_v1(folder: pathlib.Path) -> Annotations:
  videos = [video for _, (video,) in fields(folder / _TEST_V1, 1)]
  records = [Record(video, video, None, "test") for video in videos]
  return Annotations(records, read_names(folder / _LABELS_V1))


def _read_test_v2(folder: pathlib.Path) -> Annotations:
  names = _names_v2(folder / _LABELS_V2)
  labels = {}
  if (folder / _ANSWERS_V2).exists():
    numbers = numbered(names)
    labels = {
      video: class_number(where, numbers, name)
      for where, (video, name) in fields(folder / _ANSWERS_V2, 2, ";")
    }
  file = folder / _TEST_V2
  videos = [
    words(f"{file}, entry {place}", entry, "id")
    for place, entry in enumerate(read_json(file, list))
  ]
  missing = [video for video in videos if labels and video not in labels]
  if missing:
    raise ValueError(
      f"{folder / _ANSWERS_V2} has no class of {len(missing)} of the "
      f"{len(videos)} videos of {_TEST_V2}: {missing[:5]}."
    )
  records = [Record(v, f"{v}.webm", labels.get(v), "test") for v in videos]
  return Annotations(records, names)


DATA_SETS: Mapping[str, DataSet] = {
  "ssv1": DataSet(
    read=_read_v1,
    files=(*_LISTS_V1.values(), _LABELS_V1),
    videos="folders of frames `ID/00001.jpg`",
    read_test_set=_read_test_v1,
    test_files=(_TEST_V1,),
  ),
  "ssv2": DataSet(
    read=_read_v2,
    files=(*_LISTS_V2.values(), _LABELS_V2),
    videos="`ID.webm`",
    read_test_set=_read_test_v2,
    test_files=(_TEST_V2, _ANSWERS_V2),
  ),
}
