"""Segments that a detector found in a video."""

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

from temporal_jax.data.labels import ClassNames
from temporal_jax.evaluation.detection.film_segments import FilmDetections
from temporal_jax.validation import check_number, check_whole


class Segment(NamedTuple):
  """A part of a video in which something happens.

  Attributes:
    label: Name of the class.
    start: Its beginning, in seconds after the first frame.
    end: Its end, likewise.
    score: Score in [0, 1], larger is surer.
  """

  label: str
  start: float
  end: float
  score: float


@dataclasses.dataclass(frozen=True)
class Localization:
  """The segments of a video, or why there are none.

  Attributes:
    file: The video, or its features, as it was asked for.
    duration: Its seconds; None if it cannot be read.
    segments: The segments, the best score first.
    error: Why it cannot be read; None of a good one.
  """

  file: str
  duration: float | None
  segments: tuple[Segment, ...] = ()
  error: str | None = None

  def best(self, *, threshold: float = 0.0, top: int | None = None) -> "Localization":
    """Returns the same with fewer segments.

    Args:
      threshold: Least score of a segment that is kept, in [0, 1].
      top: Segments that are kept at most; None for all.

    Raises:
      ValueError: If a number is out of its range.
    """
    check_number("threshold", threshold, 0, 1)
    if top is not None:
      check_whole("top", top, 1)
    kept = [one for one in self.segments if one.score >= threshold]
    return dataclasses.replace(self, segments=tuple(kept[:top]))

  def in_time(self) -> list[Segment]:
    """Returns the segments in the order of their starts."""
    return sorted(self.segments, key=lambda one: (one.start, one.end, -one.score))

  def record(self) -> dict[str, Any]:
    """Returns {"file", "duration", "segments", "error"} for JSON.

    "segments" is a list of {"label", "start", "end", "score"}.
    """
    segments = [
      {
        "label": label,
        "start": round(start, 6),
        "end": round(end, 6),
        "score": round(score, 6),
      }
      for label, start, end, score in self.segments
    ]
    return {
      "file": self.file,
      "duration": self.duration and round(self.duration, 6),
      "segments": segments,
      "error": self.error,
    }


def named_segments(
  found: FilmDetections, class_names: ClassNames
) -> tuple[Segment, ...]:
  """Returns a film's segments with names, the best score first.

  Args:
    found: Segments with labels (N,), or (N, K) of K tasks.
    class_names: Names of the classes, or a dict with one list per task; the
      names of a segment are joined then: "take plate".
  """
  order = (-found.scores).argsort(kind="stable")
  if isinstance(class_names, Mapping):
    tasks = list(class_names.values())
    names = [
      " ".join(of[label] for of, label in zip(tasks, row, strict=True))
      for row in found.labels
    ]
  else:
    names = [class_names[label] for label in found.labels]
  rows = zip(names, found.segments.tolist(), found.scores.tolist(), strict=True)
  segments = [Segment(name, start, end, score) for name, (start, end), score in rows]
  return tuple(segments[place] for place in order)
