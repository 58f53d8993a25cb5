"""Writes the videos of a prepared data set as files."""

import csv
import pathlib
import re
from typing import NamedTuple

from temporal_jax.data import datasets
from temporal_jax.data.sources import DatasetSource
from temporal_jax.storage import whole_folder
from temporal_jax.validation import check_at_least

_SPLITS = ("train", "test")


class Unpacked(NamedTuple):
  """Result of unpacking a data set.

  Attributes:
    videos: Number of videos written, by split.
    classes: Number of classes.
  """

  videos: dict[str, int]
  classes: int


def unpack(
  name: str,
  out: pathlib.Path,
  data_dir: pathlib.Path,
  *,
  per_class: int = 0,
  skip: int = 0,
) -> Unpacked:
  """Writes SPLIT/CLASS/ID.mp4 for the videos of a data set; builds it first.

  Next to the folders is clips.csv, a list of the videos whose groups are the
  clips of one photograph.

  Args:
    name: One of `datasets.DATASETS`.
    out: Folder to write, which must not exist; it appears when it is complete.
    data_dir: Folder of prepared data sets.
    per_class: Training videos of a class, the first ones; 0 for all. Test
      videos are all written.
    skip: Training videos of a class to leave out before these.

  Raises:
    FileExistsError: If `out` exists.
    ValueError: If there is no such data set, a number is negative, or a class
      has fewer videos.
  """
  check_at_least("per_class", per_class, 0)
  check_at_least("skip", skip, 0)
  if out.exists():
    raise FileExistsError(f"{out} exists already.")
  sources = {split: DatasetSource(name, split, data_dir) for split in _SPLITS}
  photograph = datasets.find_builder(name).photograph
  written = dict.fromkeys(_SPLITS, 0)
  rows = [("path", "label", "split", "group")]
  with whole_folder(out) as partial:
    for split, source in sources.items():
      names = [re.sub(r"\W+", "_", one) for one in source.class_names]
      for folder in names:
        (partial / split / folder).mkdir(parents=True)
      seen = [0] * len(names)
      first = skip if split == "train" else 0
      most = first + per_class if per_class and split == "train" else len(source)
      for number in range(len(source)):
        video = source[number]
        label = video["label"]
        seen[label] += 1
        if first < seen[label] <= most:
          file = pathlib.Path(split, names[label], f"{video['id']}.mp4")
          (partial / file).write_bytes(video["video"])
          rows.append((file, names[label], split, photograph(video["id"])))
          written[split] += 1
      if split == "train" and per_class and min(seen) < most:
        raise ValueError(
          f"{name} has {min(seen)} training videos of a class, {first} + {per_class} "
          "are wanted."
        )
    with (partial / "clips.csv").open("w", newline="", encoding="utf-8") as table:
      csv.writer(table, lineterminator="\n").writerows(rows)
  return Unpacked(written, len(names))
