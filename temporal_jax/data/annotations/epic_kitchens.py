"""EPIC-Kitchens-100: parts of long videos, each with a verb and a noun."""

import pathlib
from collections.abc import Mapping

from temporal_jax.data.annotations.data_set import DataSet
from temporal_jax.data.annotations.fields import (
  class_in_range,
  in_order,
  seconds,
  whole,
)
from temporal_jax.data.annotations.film_builder import FilmBuilder
from temporal_jax.data.annotations.films import FilmAnnotations
from temporal_jax.data.annotations.read_tables import File, rows
from temporal_jax.data.annotations.record import Annotations, Record
from temporal_jax.validation import fill_template

PATH = "{participant_id}/videos/{video_id}.MP4"
_COLUMNS = (
  "narration_id",
  "participant_id",
  "video_id",
  "start_timestamp",
  "stop_timestamp",
)
_CLASSES = ("verb_class", "noun_class")


def read_epic_kitchens(
  files: Mapping[str, File],
  verbs: File,
  nouns: File,
  *,
  path: str = PATH,
  cut: bool = False,
) -> Annotations:
  """Reads the published CSV files; a label is (verb, noun).

  Args:
    files: Files by split: {"train": "EPIC_100_train.csv", "test":
      "EPIC_100_validation.csv"}.
    verbs: EPIC_100_verb_classes.csv.
    nouns: EPIC_100_noun_classes.csv.
    path: Path of a video, from the columns: participant_id, video_id,
      narration_id.
    cut: Whether each part is a file of its own, as "{narration_id}.MP4".

  Raises:
    ValueError: If a row is wrong or its class unknown.
  """
  names = {"verb": _classes(verbs), "noun": _classes(nouns)}
  records = []
  for split, file in files.items():
    for where, row in rows(file, _COLUMNS + _CLASSES):
      label = tuple(
        class_in_range(where, row[f"{task}_class"], len(of))
        for task, of in names.items()
      )
      record = _record(where, row, split, path)._replace(label=label)
      records.append(record._replace(start=None, stop=None) if cut else record)
  return Annotations(records, names)


def _record(where: str, row: Mapping[str, str], split: str, path: str) -> Record:
  """Returns the record of a row, without its label."""
  start = seconds(where, "start_timestamp", row["start_timestamp"])
  stop = seconds(where, "stop_timestamp", row["stop_timestamp"])
  if stop <= start:
    raise ValueError(f"{where}: it stops at {stop} s, before {start} s.")
  return Record(
    id=row["narration_id"],
    path=fill_template("path", path, **row),
    label=None,
    split=split,
    start=start,
    stop=stop,
    origin=row["video_id"],
  )


# Segments need no narration.
_SEGMENT_COLUMNS = (
  "participant_id",
  "video_id",
  "start_timestamp",
  "stop_timestamp",
  "verb_class",
  "noun_class",
)


def read_epic_kitchens_films(
  files: Mapping[str, File],
  verbs: File,
  nouns: File,
  *,
  video_info: File | None = None,
  path: str = PATH,
  on_error: str = "raise",
) -> FilmAnnotations:
  """Reads the films of the published CSV files; labels are (verb, noun).

  Args:
    files: See `read_epic_kitchens`.
    verbs: EPIC_100_verb_classes.csv.
    nouns: EPIC_100_noun_classes.csv.
    video_info: EPIC_100_video_info.csv with the films' durations and frames per
      second; None leaves them unknown.
    path: The video, from the columns: participant_id, video_id.
    on_error: "raise", or "skip" to leave out, and count, a segment whose times
      or class are wrong, or that is past the film's end.

  Raises:
    ValueError: If a row is wrong and none may be.
  """
  names = {"verb": _classes(verbs), "noun": _classes(nouns)}

  def read_label(where: str, row: Mapping[str, str]) -> tuple[int, ...]:
    return tuple(
      class_in_range(where, row[f"{task}_class"], len(of)) for task, of in names.items()
    )

  info = {}
  if video_info is not None:
    columns = ("video_id", "duration", "fps")
    info = {row["video_id"]: row for _, row in rows(video_info, columns)}
  builder = FilmBuilder(on_error, read_label=read_label)
  for split, file in files.items():
    for where, row in rows(file, _SEGMENT_COLUMNS):
      film = row["video_id"]
      known = info.get(film, {})
      builder.add_film(
        where,
        film,
        path=fill_template("path", path, **row),
        split=split,
        duration=known.get("duration"),
        fps=known.get("fps"),
      )
      times = (row["start_timestamp"], row["stop_timestamp"])
      builder.add_segment(where, film, row, *times)
  return builder.build(", ".join(map(str, files.values())), names)


def _classes(file: File) -> tuple[str, ...]:
  """Returns the names of verbs or nouns: the column "key", by "id"."""
  table = (
    (whole(where, "id", row["id"]), row["key"])
    for where, row in rows(file, ("id", "key"))
  )
  return in_order(table, str(file))


_SPLITS = {"train": "EPIC_100_train.csv", "test": "EPIC_100_validation.csv"}
_TEST = "EPIC_100_test_timestamps.csv"
_VERBS, _NOUNS = "EPIC_100_verb_classes.csv", "EPIC_100_noun_classes.csv"


def _read(folder: pathlib.Path) -> Annotations:
  files = {split: folder / name for split, name in _SPLITS.items()}
  return read_epic_kitchens(files, folder / _VERBS, folder / _NOUNS)


def _read_test_set(folder: pathlib.Path) -> Annotations:
  names = {"verb": _classes(folder / _VERBS), "noun": _classes(folder / _NOUNS)}
  found = rows(folder / _TEST, _COLUMNS)
  return Annotations([_record(*row, "test", PATH) for row in found], names)


def _read_films(folder: pathlib.Path, on_error: str) -> FilmAnnotations:
  files = {split: folder / name for split, name in _SPLITS.items()}
  info = folder / "EPIC_100_video_info.csv"
  return read_epic_kitchens_films(
    files,
    folder / _VERBS,
    folder / _NOUNS,
    video_info=info if info.exists() else None,
    on_error=on_error,
  )


DATA_SETS: Mapping[str, DataSet] = {
  "ek100": DataSet(
    read=_read,
    files=(*_SPLITS.values(), _VERBS, _NOUNS),
    videos="`PERSON/videos/VIDEO.MP4`; parts of these long videos, by their times",
    read_test_set=_read_test_set,
    test_files=(_TEST,),
    read_films=_read_films,
  )
}
