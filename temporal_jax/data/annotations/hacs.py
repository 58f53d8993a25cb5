"""HACS: segments, in ActivityNet's format, and clips of two seconds."""

from collections.abc import Mapping, Sequence

from temporal_jax.data.annotations.activity_net import (
  SUBSETS,
  read_activity_net,
  read_activity_net_films,
)
from temporal_jax.data.annotations.data_set import DataSet
from temporal_jax.data.annotations.fields import class_number, numbered, seconds
from temporal_jax.data.annotations.films import FilmAnnotations
from temporal_jax.data.annotations.read_tables import File, rows
from temporal_jax.data.annotations.record import Annotations, Record
from temporal_jax.data.labels import class_order
from temporal_jax.validation import fill_template

PATH = "{label}/v_{id}.mp4"
_COLUMNS = ("classname", "youtube_id", "subset", "start", "end", "label")


def read_hacs_segments(
  file: File, *, path: str = PATH, whole_videos: Sequence[str] = ()
) -> Annotations:
  """Reads HACS_segments_v1.1.1.json: labelled parts of both splits.

  Args:
    file: JSON, see `read_activity_net`.
    path: Path of a video, from id and label.
    whole_videos: Splits that take videos as a whole, not their labelled parts;
      tests of whole videos give the class scores of a detector.
  """
  return read_activity_net(file, path=path, whole_videos=whole_videos)


def read_hacs_films(
  file: File, *, path: str = PATH, on_error: str = "raise"
) -> FilmAnnotations:
  """Reads the films of HACS_segments_v1.1.1.json with their segments.

  Args:
    file: JSON, see `read_activity_net_films`.
    path: The video, from id and the label that most of it has.
    on_error: "raise", or "skip" to leave out and count a wrong segment.
  """
  return read_activity_net_films(file, path=path, on_error=on_error)


def read_hacs_clips(file: File, *, path: str = PATH) -> Annotations:
  """Reads HACS_clips_v1.1.1.csv: clips of two seconds that show their class.

  Those labelled -1, which do not, are left out, and so is the subset "testing".

  Args:
    file: classname,youtube_id,subset,start,end,label.
    path: Path of a video, from id and label.

  Raises:
    ValueError: If a row is wrong.
  """
  table = []
  for where, row in rows(file, _COLUMNS):
    if row["label"] not in ("1", "-1", "0"):
      raise ValueError(f"{where}: label must be 1 or -1, got {row['label']!r}.")
    if row["label"] == "1" and row["subset"] in SUBSETS:
      table.append((where, row))
  names = class_order(row["classname"] for _, row in table)
  numbers = numbered(names)
  records = []
  for place, (where, row) in enumerate(table):
    name, video = row["classname"], row["youtube_id"]
    start, stop = (seconds(where, c, row[c]) for c in ("start", "end"))
    if stop <= start:
      raise ValueError(f"{where}: it stops at {stop} s, before {start} s.")
    records.append(
      Record(
        id=f"{video}_{place}",
        path=fill_template("path", path, id=video, label=name),
        label=class_number(where, numbers, name),
        split=SUBSETS[row["subset"]],
        start=start,
        stop=stop,
        origin=video,
      )
    )
  return Annotations(records, names)


_SEGMENTS, _CLIPS = "HACS_segments_v1.1.1.json", "HACS_clips_v1.1.1.csv"
_VIDEOS = "`class/v_ID.mp4`; parts of these videos"

DATA_SETS: Mapping[str, DataSet] = {
  "hacs": DataSet(
    read=lambda folder: read_hacs_segments(folder / _SEGMENTS),
    files=(_SEGMENTS,),
    videos=_VIDEOS,
    read_films=lambda folder, on_error: read_hacs_films(
      folder / _SEGMENTS, on_error=on_error
    ),
  ),
  "hacs_whole_tests": DataSet(
    read=lambda folder: read_hacs_segments(folder / _SEGMENTS, whole_videos=("test",)),
    files=(_SEGMENTS,),
    videos="`class/v_ID.mp4`; parts of these videos in training, whole ones in tests",
  ),
  "hacs_clips": DataSet(
    read=lambda folder: read_hacs_clips(folder / _CLIPS),
    files=(_CLIPS,),
    videos=_VIDEOS,
  ),
}
