"""Files of the classes over time: JSON, CSV and subtitles.

They are written as windows come, so that they are complete when a video ends
early, and need no memory.
"""

import contextlib
import csv
import dataclasses
import json
import os
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, TextIO

from temporal_jax.display import printable

Path = str | os.PathLike
# Bytes of names that are no UTF-8 (surrogates) become escapes, JSON's own.
_ENCODING = {"encoding": "utf-8", "errors": "backslashreplace"}


class LabelledSpan(NamedTuple):
  """Part of a video with the classes that are seen in it.

  Attributes:
    start: Beginning, in seconds after the first frame.
    stop: End, in seconds after the first frame.
    labels: The best classes and their probabilities, the best first.
  """

  start: float
  stop: float
  labels: list[tuple[str, float]]


Write = Callable[[LabelledSpan], None]


@contextlib.contextmanager
def open_json(file: Path) -> Iterator[Write]:
  """Yields a function that writes spans as {start, stop, predictions}.

  Predictions are a list of {label, probability}.
  """
  with open(file, "w", **_ENCODING) as out:
    comma = ""

    def write(span: LabelledSpan) -> None:
      nonlocal comma
      record = {
        "start": round(span.start, 6),
        "stop": round(span.stop, 6),
        "predictions": [
          {"label": label, "probability": round(probability, 6)}
          for label, probability in span.labels
        ],
      }
      out.write(f"{comma}\n  {json.dumps(record, ensure_ascii=False)}")
      comma = ","

    out.write("[")
    try:
      yield write
    finally:
      out.write("\n]\n")


@contextlib.contextmanager
def open_csv(file: Path) -> Iterator[Write]:
  """Yields a function that writes rows start,stop,label,probability."""
  with open(file, "w", newline="", **_ENCODING) as out:
    table = csv.writer(out, lineterminator="\n")
    table.writerow(("start", "stop", "label", "probability"))

    def write(span: LabelledSpan) -> None:
      times = f"{span.start:.6f}", f"{span.stop:.6f}"
      for label, probability in span.labels:
        table.writerow((*times, label, f"{probability:.6f}"))

    yield write


@contextlib.contextmanager
def open_srt(
  file: Path, *, threshold: float = 0.0, min_seconds: float = 0.0
) -> Iterator[Write]:
  """Yields a function that writes subtitles, see `write_srt`."""
  settings = {"threshold": threshold, "min_seconds": min_seconds}
  with open(file, "w", **_ENCODING) as out, write_srt(out, **settings) as write:
    yield write


@contextlib.contextmanager
def write_srt(
  out: TextIO, *, threshold: float = 0.0, min_seconds: float = 0.0
) -> Iterator[Write]:
  """Yields a function that writes subtitles of the best class to a file.

  Spans that follow each other with the same class are one subtitle, with the
  mean of their probabilities. Where spans of two classes overlap, one subtitle
  gives way to the next in the middle of the overlap.

  Args:
    out: The file.
    threshold: Probability below which a span's class is not shown, in [0, 1].
    min_seconds: Length of the shortest subtitle; shorter ones are left out.
  """
  shown, number = None, 0

  def finish() -> None:
    nonlocal number
    if shown.label is not None and shown.stop - shown.start >= min_seconds:
      number += 1
      out.write(shown.text(number))

  def write(span: LabelledSpan) -> None:
    nonlocal shown
    label, probability = span.labels[0]
    if probability < threshold:
      label = None
    if shown is None:
      shown = _Subtitle(label, span.start)
    elif label != shown.label:
      begin = (max(shown.stop, span.start) + span.start) / 2
      shown.stop = min(shown.stop, begin)
      finish()
      shown = _Subtitle(label, begin)
    shown.stop = span.stop
    shown.total += probability
    shown.count += 1

  try:
    yield write
  finally:
    if shown is not None:
      finish()


WRITERS: Mapping[str, Callable] = {"json": open_json, "csv": open_csv, "srt": open_srt}


@dataclasses.dataclass
class _Subtitle:
  """Spans that follow each other with the same class, None for no class."""

  label: str | None
  start: float
  stop: float = 0.0
  total: float = 0.0
  count: int = 0

  def text(self, number: int) -> str:
    """Returns the lines of a file for it, under its number from 1."""
    times = f"{srt_time(self.start)} --> {srt_time(self.stop)}"
    # An empty line would end it.
    label = printable(" ".join(self.label.split()))
    mean = self.total / self.count
    return f"{number}\n{times}\n{label} ({mean:.0%})\n\n"


def clock(seconds: float, decimals: int = 0) -> str:
  """Returns a time as people read it: 1:23, 1:02:03.

  Args:
    seconds: The time.
    decimals: Decimals of the seconds.
  """
  unit = 10**decimals
  whole, part = divmod(round(seconds * unit), unit)
  minutes, whole = divmod(whole, 60)
  hours, minutes = divmod(minutes, 60)
  lead = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
  return f"{lead}:{whole:02d}" + (f".{part:0{decimals}d}" if decimals else "")


def srt_time(seconds: float) -> str:
  """Returns a time as subtitles have it: HH:MM:SS,mmm."""
  whole, thousandths = divmod(round(seconds * 1000), 1000)
  minutes, whole = divmod(whole, 60)
  hours, minutes = divmod(minutes, 60)
  return f"{hours:02d}:{minutes:02d}:{whole:02d},{thousandths:03d}"
