"""ActivityNet, and HACS in its format: JSON of videos with labelled parts."""

import functools
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from temporal_jax.data.annotations.data_set import DataSet
from temporal_jax.data.annotations.fields import (
  class_number,
  member,
  numbered,
  seconds,
  words,
)
from temporal_jax.data.annotations.film_builder import FilmBuilder
from temporal_jax.data.annotations.films import FilmAnnotations
from temporal_jax.data.annotations.read_tables import File, read_json, warn_of_empty
from temporal_jax.data.annotations.record import Annotations, Record
from temporal_jax.data.labels import class_order
from temporal_jax.validation import fill_template

SUBSETS = {"training": "train", "validation": "test"}


def read_activity_net(
  file: File,
  *,
  path: str = "v_{id}.mp4",
  whole_videos: Sequence[str] = ("test",),
  multi_label: bool = False,
) -> Annotations:
  """Reads the published JSON file of ActivityNet 1.3, or of HACS Segments.

  Videos of the subset "testing" have no labels, and are left out; so are parts
  that do not stop after they start, with a warning.

  Args:
    file: activity_net.v1-3.min.json or HACS_segments_v1.1.1.json.
    path: Path of a video, from id and the label that most of it has.
    whole_videos: Splits that take videos as a whole, not their labelled parts;
      ATM trains on parts and tests whole videos.
    multi_label: Whether a label is a set: of a whole video, all its classes.
      Else it is the class that most of it has.

  Raises:
    ValueError: If an entry is wrong.
  """
  videos = list(_videos(file))
  names = class_order(name for v in videos for name, _, _ in v.parts)
  numbers = numbered(names)

  def label(where: str, found: Sequence[str]) -> int | frozenset[int]:
    several = [class_number(where, numbers, name) for name in found]
    return frozenset(several) if multi_label else several[0]

  records = []
  for video in videos:
    by_length = _by_length(video.parts)
    place = fill_template("path", path, id=video.id, label=by_length[0])
    common = {"path": place, "split": video.split, "origin": video.id}
    if video.split in whole_videos:
      found = label(video.where, by_length)
      records.append(Record(id=video.id, label=found, **common))
      continue
    for number, (name, start, stop) in enumerate(video.parts):
      records.append(
        Record(
          id=f"{video.id}_{number}",
          label=label(video.where, [name]),
          start=start,
          stop=stop,
          **common,
        )
      )
  return Annotations(records, names, multi_label)


class _Video(NamedTuple):
  """A labelled video, and its parts: class, start and stop."""

  where: str
  id: str
  split: str
  parts: list[tuple[str, float, float]]


def _entries(file: File) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
  """Yields the videos: where they are, their ids, subsets and members."""
  database = member(str(file), read_json(file, dict), "database")
  if not isinstance(database, dict):
    raise ValueError(
      f"{file}: database must be an object, got {type(database).__name__}."
    )
  for video, entry in database.items():
    where = f"{file}, {video}"
    subset = words(where, entry, "subset")
    annotations = member(where, entry, "annotations")
    if not isinstance(annotations, list):
      raise ValueError(
        f"{where}: annotations must be a list, got {type(annotations).__name__}."
      )
    yield where, video, subset, entry


def _videos(file: File) -> Iterator[_Video]:
  """Yields the labelled videos."""
  empty = []
  for where, video, subset, entry in _entries(file):
    split = SUBSETS.get(subset)
    parts = [_part(where, part) for part in entry["annotations"]]
    empty += [video for _, start, stop in parts if stop <= start]
    parts = [part for part in parts if part[2] > part[1]]
    if split and parts:
      yield _Video(where, video, split, parts)
  warn_of_empty(file, empty)


def read_activity_net_films(
  file: File,
  *,
  path: str = "v_{id}.mp4",
  subsets: Mapping[str, str] = SUBSETS,
  class_names: Sequence[str] | None = None,
  ambiguous: str = "",
  on_error: str = "raise",
  past_end: str = "refuse",
) -> FilmAnnotations:
  """Reads the films of a JSON file in ActivityNet's format.

  Films of other subsets, whose labels are not published, are not read. A film
  of these that has no segment is kept.

  Args:
    file: JSON, such as activity_net.v1-3.min.json or HACS_segments_v1.1.1.json.
    path: The video, from id and the label that most of it has.
    subsets: Name of a subset, in small letters -> split.
    class_names: Names of the classes; None takes all names there are.
    ambiguous: A label of segments that are of no class; they are left out.
    on_error: "raise", or "skip" to leave out, and count, a segment whose times
      or label are wrong, or that is past the film's end.
    past_end: Handling of these last ones, see `film_builder.PAST_END`.

  Raises:
    ValueError: If an entry is wrong and nothing may be, or is none.
  """
  builder = FilmBuilder(on_error, class_names=class_names, past_end=past_end)
  for where, film, subset, entry in _entries(file):
    split = subsets.get(subset.lower())
    if split is None:
      continue
    parts = [
      (member(where, part, "segment"), member(where, part, "label"))
      for part in entry["annotations"]
    ]
    builder.add_film(
      where,
      film,
      # A film without a label is in no folder of a class.
      path=fill_template("path", path, id=film, label=_main_label(entry)).lstrip("/"),
      split=split,
      duration=entry.get("duration"),
      fps=entry.get("fps"),
    )
    for segment, label in parts:
      if ambiguous and label == ambiguous:
        message = f"{where}: {repr(segment)[:80]} is labelled {ambiguous}."
        builder.leave_out_segment(film, "an ambiguous segment", message)
        continue
      pair = segment if isinstance(segment, list) and len(segment) == 2 else [None] * 2
      builder.add_segment(where, film, label, *pair)
  return builder.build(str(file))


def _main_label(entry: Mapping[str, Any]) -> str:
  """Returns the class that most of a video has, "" if it has none."""
  parts = []
  for one in entry["annotations"]:
    try:
      name, start, stop = _part("", one)
    except ValueError:
      continue  # It is reported where segments are checked.
    if stop > start:
      parts.append((name, start, stop))
  return _by_length(parts)[0] if parts else ""


def _part(where: str, entry: Mapping[str, Any]) -> tuple[str, float, float]:
  segment = member(where, entry, "segment")
  if not isinstance(segment, list) or len(segment) != 2:
    raise ValueError(
      f"{where}: segment must be [start, stop], got {repr(segment)[:80]}."
    )
  start, stop = (seconds(where, "segment", second) for second in segment)
  return words(where, entry, "label"), start, stop


def _by_length(parts: Sequence[tuple[str, float, float]]) -> list[str]:
  """Returns the classes of a video, the one that most of it has first."""
  lengths: dict[str, float] = {}
  for name, start, stop in parts:
    lengths[name] = lengths.get(name, 0.0) + stop - start
  return sorted(lengths, key=lambda name: (-lengths[name], name))


_FILE = "activity_net.v1-3.min.json"


def _read(folder: pathlib.Path, *, multi_label: bool = False) -> Annotations:
  return read_activity_net(folder / _FILE, multi_label=multi_label)


def _read_films(folder: pathlib.Path, on_error: str) -> FilmAnnotations:
  return read_activity_net_films(folder / _FILE, on_error=on_error)


_VIDEOS = "`v_ID.mp4`; labelled parts in training, whole videos in tests"

DATA_SETS: Mapping[str, DataSet] = {
  "anet": DataSet(read=_read, files=(_FILE,), videos=_VIDEOS, read_films=_read_films),
  "anet_multi_label": DataSet(
    read=functools.partial(_read, multi_label=True), files=(_FILE,), videos=_VIDEOS
  ),
}
