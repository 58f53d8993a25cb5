"""Files of the segments of videos: JSON, CSV and subtitles."""

import csv
import io
import itertools
import json
import os
from collections.abc import Iterable, Sequence
from typing import TextIO

from temporal_jax.display import printable
from temporal_jax.inference.localize.segments import Localization, Segment
from temporal_jax.inference.watch.window_files import srt_time
from temporal_jax.storage import write_text

Path = str | os.PathLike
COLUMNS = ("path", "start", "end", "label", "score")


def write_json(films: Iterable[Localization], file: Path) -> None:
  """Writes a list of {file, duration, segments, error}, see `record`."""
  records = [film.record() for film in films]
  write_text(file, json.dumps(records, indent=2) + "\n")


def write_csv(films: Iterable[Localization], file: Path) -> None:
  """Writes a row for each segment: path, start, end, label, score.

  Without its last column it is a list of annotations, see `read_segment_list`.
  """
  out = io.StringIO()
  table = csv.writer(out, lineterminator="\n")
  table.writerow(COLUMNS)
  for film in films:
    for label, start, end, score in film.segments:
      table.writerow((film.file, f"{start:.3f}", f"{end:.3f}", label, f"{score:.6f}"))
  write_text(file, _encodable(out.getvalue()))


def write_srt(film: Localization, file: Path) -> None:
  """Writes subtitles of the segments of one video, see `write_subtitles`."""
  out = io.StringIO()
  write_subtitles(film.segments, out)
  write_text(file, _encodable(out.getvalue()))


def write_subtitles(segments: Sequence[Segment], out: TextIO) -> None:
  """Writes subtitles; where segments overlap, each has a line in all of them.

  Args:
    segments: The segments of one video.
    out: Folder to write to.
  """
  segments = sorted(segments, key=lambda one: (one.start, one.end, -one.score))
  times = sorted({time for one in segments for time in (one.start, one.end)})
  number = 0
  for start, end in itertools.pairwise(times):
    shown = [one for one in segments if one.start <= start and end <= one.end]
    # Players show no subtitle that is shorter than a thousandth.
    if not shown or srt_time(start) == srt_time(end):
      continue
    number += 1
    # An empty line would end it.
    lines = [
      f"{printable(' '.join(one.label.split()))} ({one.score:.0%})" for one in shown
    ]
    out.write(f"{number}\n{srt_time(start)} --> {srt_time(end)}\n")
    out.write("\n".join(lines) + "\n\n")


def _encodable(text: str) -> str:
  """Returns text whose bytes that are no UTF-8 are escapes, as in JSON."""
  return text.encode("utf-8", "backslashreplace").decode("utf-8")
