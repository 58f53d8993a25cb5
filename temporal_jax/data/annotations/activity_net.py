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
from temporal_jax.data.annotations.read_tables import File, read_json, warn_of_empty
from temporal_jax.data.annotations.record import Annotations, Record
from temporal_jax.data.labels import class_order

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
    path: Of a video, from id and the label that most of it has.
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
    place = path.format(id=video.id, label=by_length[0])
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


def _videos(file: File) -> Iterator[_Video]:
  """Yields the labelled videos."""
  content, empty = read_json(file, dict), []
  database = member(str(file), content, "database")
  if not isinstance(database, dict):
    raise ValueError(
      f"{file}: database must be an object, got {type(database).__name__}."
    )
  for video, entry in database.items():
    where = f"{file}, {video}"
    split = SUBSETS.get(words(where, entry, "subset"))
    annotations = member(where, entry, "annotations")
    if not isinstance(annotations, list):
      raise ValueError(
        f"{where}: annotations must be a list, got {type(annotations).__name__}."
      )
    parts = [_part(where, part) for part in annotations]
    empty += [video for _, start, stop in parts if stop <= start]
    parts = [part for part in parts if part[2] > part[1]]
    if split and parts:
      yield _Video(where, video, split, parts)
  warn_of_empty(file, empty)


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


_VIDEOS = "`v_ID.mp4`; labelled parts in training, whole videos in tests"

DATA_SETS: Mapping[str, DataSet] = {
  "anet": DataSet(read=_read, files=(_FILE,), videos=_VIDEOS),
  "anet_multi_label": DataSet(
    read=functools.partial(_read, multi_label=True), files=(_FILE,), videos=_VIDEOS
  ),
}
