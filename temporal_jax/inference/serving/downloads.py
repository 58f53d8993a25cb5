"""Results as files for spreadsheets and video players."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from temporal_jax.inference.localize.segment_files import write_subtitles
from temporal_jax.inference.localize.segments import Segment
from temporal_jax.inference.watch.window_files import LabelledSpan, write_srt
from temporal_jax.inference.watch.windows import Window

# Spreadsheets compute cells that begin so, whatever a CSV file quotes.
_FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]")
_BYTE_ORDER_MARK = "\ufeff"  # Without it, Excel takes UTF-8 for Latin-1.


class TaskScores(NamedTuple):
  """Scores of a video in one task.

  Attributes:
    name: The task's, "" of a single one.
    class_names: Names of the L classes.
    shown: Numbers of the classes that the page shows, in order.
    whole: (L,) probabilities of the whole video.
    windows: Windows of the video in order, of (L,) probabilities each.
  """

  name: str
  class_names: Sequence[str]
  shown: Sequence[int]
  whole: np.ndarray
  windows: Sequence[Window]


def create_downloads(
  tasks: Sequence[TaskScores], seconds: float | None
) -> list[dict[str, Any]]:
  """Returns the files that the page offers, as JSON.

  Args:
    tasks: Scores for each task, over the same windows.
    seconds: Length of the video, None of a single frame. That has no windows
      in time: no subtitles, and no rows of them in the table.

  Returns:
    For each file its "title", the "suffix" of its name, its "type" and "text".
  """
  files = [
    {
      "title": "Save table (CSV)",
      "suffix": ".csv",
      "type": "text/csv;charset=utf-8",
      "text": _table(tasks, seconds),
    }
  ]
  for task in tasks if seconds is not None else ():
    title, suffix = "Save subtitles (SRT)", ".srt"
    if task.name:
      title = f"Save subtitles: {task.name} (SRT)"
      suffix = "." + re.sub(r"[^\w-]+", "_", task.name) + suffix
    files.append(
      {
        "title": title,
        "suffix": suffix,
        "type": "application/x-subrip;charset=utf-8",
        "text": _subtitles(task),
      }
    )
  return files


def segment_downloads(segments: Sequence[Segment]) -> list[dict[str, Any]]:
  """Returns the files of segments that the page offers, see `create_downloads`.

  Args:
    segments: The segments of a video.
  """
  rows = [
    (f"{one.start:.3f}", f"{one.end:.3f}", _as_text(one.label), f"{one.score:.6f}")
    for one in segments
  ]
  subtitles = io.StringIO()
  write_subtitles(segments, subtitles)
  return [
    {
      "title": "Save segments (CSV)",
      "suffix": ".segments.csv",
      "type": "text/csv;charset=utf-8",
      "text": _as_csv([("start (s)", "end (s)", "class", "score"), *rows]),
    },
    {
      "title": "Save segments (SRT)",
      "suffix": ".segments.srt",
      "type": "application/x-subrip;charset=utf-8",
      "text": subtitles.getvalue(),
    },
  ]


def _table(tasks: Sequence[TaskScores], seconds: float | None) -> str:
  """Returns a row for the video and for each window, a column for a class."""
  names = [
    f"{task.name}: {task.class_names[i]}" if task.name else task.class_names[i]
    for task in tasks
    for i in task.shown
  ]

  def cells(scores: Iterable[np.ndarray]) -> list[str]:
    return [
      f"{row[i]:.6f}"
      for task, row in zip(tasks, scores, strict=True)
      for i in task.shown
    ]

  times = ("", "") if seconds is None else ("0.000000", f"{seconds:.6f}")
  rows = [("whole video", *times, *cells(task.whole for task in tasks))]
  if seconds is not None:
    of_tasks = [task.windows for task in tasks]
    for number, windows in enumerate(zip(*of_tasks, strict=True), 1):
      times = f"{windows[0].start:.6f}", f"{windows[0].stop:.6f}"
      scores = cells(window.probabilities for window in windows)
      rows.append((f"window {number}", *times, *scores))
  header = ("part", "start (s)", "end (s)", *map(_as_text, names))
  return _as_csv([header, *rows])


def _as_csv(rows: Iterable[Sequence[str]]) -> str:
  """Returns a table as spreadsheets read it."""
  out = io.StringIO()
  csv.writer(out).writerows(rows)  # RFC 4180: "\r\n", and quotes where needed.
  # Bytes of names that are no UTF-8 (surrogates) become escapes.
  content = out.getvalue().encode("utf-8", "backslashreplace")
  return _BYTE_ORDER_MARK + content.decode("utf-8")


def _as_text(name: str) -> str:
  """Returns a name that no spreadsheet takes for a formula."""
  return f"'{name}" if _FORMULA.match(name) else name


def _subtitles(task: TaskScores) -> str:
  """Returns the likeliest class over time, as `watch` writes it."""
  out = io.StringIO()
  with write_srt(out) as write:
    for window in task.windows:
      labels = window.top(task.class_names)
      write(LabelledSpan(window.start, window.stop, labels))
  return out.getvalue()
