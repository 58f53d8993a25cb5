"""Kinetics-400, -600, -700, and -710 of them: CSV files of YouTube videos."""

import pathlib
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from temporal_jax.data.annotations.data_set import DataSet
from temporal_jax.data.annotations.fields import class_number, numbered, whole
from temporal_jax.data.annotations.merged import merge
from temporal_jax.data.annotations.read_tables import File, read_names, rows
from temporal_jax.data.annotations.record import Annotations, Record
from temporal_jax.data.labels import class_order
from temporal_jax.validation import fill_template

PATH = "{label}/{youtube_id}_{start:06d}_{stop:06d}.mp4"
_COLUMNS = ("label", "youtube_id", "time_start", "time_end")


def read_kinetics(
  files: Mapping[str, File],
  *,
  class_names: Sequence[str] = (),
  path: str = PATH,
) -> Annotations:
  """Reads the published CSV files: label,youtube_id,time_start,time_end.

  Args:
    files: Files by split: {"train": "train.csv", "test": "validate.csv"}.
    class_names: Names in the order of a network's outputs, where it is not the
      alphabetical one; see `read_names`.
    path: Path of a video's clip, from label, youtube_id, start and stop.

  Raises:
    ValueError: If a row is wrong or its class unknown.
  """
  table = [
    (split, where, row)
    for split, file in files.items()
    for where, row in rows(file, _COLUMNS)
  ]
  # Published files quote some names twice.
  labels = [row["label"].strip().strip('"') for _, _, row in table]
  names = tuple(class_names) or class_order(labels)
  numbers = numbered(names)
  records = []
  for label, (split, where, row) in zip(labels, table, strict=True):
    start = whole(where, "time_start", row["time_start"])
    stop = whole(where, "time_end", row["time_end"], start + 1)
    video = row["youtube_id"]
    place = fill_template(
      "path", path, label=label, youtube_id=video, start=start, stop=stop
    )
    records.append(
      Record(
        id=f"{video}_{start:06d}_{stop:06d}",
        path=place,
        label=class_number(where, numbers, label),
        split=split,
        origin=video,
      )
    )
  return Annotations(records, names)


_SPLITS = {"train": "train.csv", "test": "validate.csv"}
# Class names, one per line, in the order of a network trained elsewhere.
_ORDER = "classes.txt"
_MERGED = ("k400", "k600", "k700")
# Classes of Kinetics-400, -600 or -700 that have another name in Kinetics-710:
# {"their name": "its name"}, by the label maps of UniFormerV2
# (arXiv:2211.09552), which join some classes that are only alike.
KINETICS_710_NAMES: Mapping[str, str] = MappingProxyType(
  {
    "balloon blowing": "inflating balloons",
    "changing wheel": "changing wheel (not on bike)",
    "cooking sausages": "cooking sausages (not on barbeque)",
    "drinking": "sipping cup",
    "dying hair": "dyeing hair",
    "garbage collecting": "person collecting garbage",
    "hugging": "hugging (not baby)",
    "making bed": "making the bed",
    "opening bottle": "opening bottle (not wine)",
    "passing american football (not in game)": (
      "passing American football (not in game)"
    ),
    "picking fruit": "picking apples",
    "skiing (not slalom or crosscountry)": "skiing mono",
    "sniffing": "smelling feet",
    "throwing ball (not baseball or American football)": "throwing ball",
    "tying tie": "tying necktie",
  }
)


def _read(folder: pathlib.Path) -> Annotations:
  files = {split: folder / name for split, name in _SPLITS.items()}
  return read_kinetics(files, class_names=_class_names(folder))


def _read_merged(folder: pathlib.Path) -> Annotations:
  parts = {part: _read(folder / part) for part in _MERGED}
  return merge(parts, class_names=_class_names(folder), same=KINETICS_710_NAMES)


def _class_names(folder: pathlib.Path) -> tuple[str, ...]:
  file = folder / _ORDER
  return read_names(file) if file.exists() else ()


_ONE = DataSet(
  read=_read,
  files=tuple(_SPLITS.values()),
  videos="`class/ID_000001_000011.mp4`",
)

DATA_SETS: Mapping[str, DataSet] = {
  **dict.fromkeys(_MERGED, _ONE),
  "k710": DataSet(
    read=_read_merged,
    files=tuple(f"{part}/{name}" for part in _MERGED for name in _ONE.files),
    videos="`class/ID_000001_000011.mp4` in `k400/`, `k600/`, `k700/`; videos of "
    "any test are left out of training",
  ),
}
