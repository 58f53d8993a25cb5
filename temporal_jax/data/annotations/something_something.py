"""Something-Something: v1, folders of frames, and v2, webm files."""

from collections.abc import Mapping

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
