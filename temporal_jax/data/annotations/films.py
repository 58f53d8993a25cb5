"""Annotations of films: segments with their labels."""

import collections
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from temporal_jax.data.annotations.record import Annotations, Record
from temporal_jax.data.labels import ClassNames


class Film(NamedTuple):
  """A film with its labelled segments.

  Attributes:
    id: Its name, which no other film has.
    path: The video, from the data set's folder.
    split: "train" or "test"; in a user's own list also "validation", or "" if
      it is not given.
    segments: (N, 2) start and end in seconds. A film may have none.
    labels: (N,) class of each, int64; (N, K) of K tasks.
    duration: Seconds; None if the files do not have it.
    fps: Frames per second; None if the files do not have it.
  """

  id: str
  path: str
  split: str
  segments: np.ndarray
  labels: np.ndarray
  duration: float | None = None
  fps: float | None = None

  def is_past_end(self) -> np.ndarray:
    """Returns a mask of the segments that end after the film, bool (N,)."""
    end = np.inf if self.duration is None else self.duration
    return self.segments[:, 1] > end


class LeftOut(NamedTuple):
  """A segment or a film that annotations have and `FilmAnnotations` has not.

  Attributes:
    film: The film's id.
    reason: Why, in the same words for all of a kind.
    message: Its place in the file, the wrong value and the allowed ones.
  """

  film: str
  reason: str
  message: str


class FilmAnnotations(NamedTuple):
  """A data set's films, in the order of its files.

  Attributes:
    films: The films of all splits.
    class_names: See `sources.Source`.
    left_out: Segments and films that are left out.
    num_cut: Segments whose end was a little past the film's end, which is their
      end now.
    past_end: Handling of segments that are farther past the film's end, one of
      `film_builder.PAST_END`.
  """

  films: Sequence[Film]
  class_names: ClassNames
  left_out: tuple[LeftOut, ...] = ()
  num_cut: int = 0
  past_end: str = "refuse"

  def split(self, name: str) -> list[Film]:
    """Returns the films of a split."""
    return [film for film in self.films if film.split == name]

  def counts(self) -> dict[str, int]:
    """Returns the numbers of films and segments, kept and left out.

    The names are "films", "films without a segment", "segments", "segments cut
    at the film's end", "segments past the film's end" if they are kept, and
    "left out: " and each reason.
    """
    lengths = [len(film.segments) for film in self.films]
    counts = {
      "films": len(lengths),
      "films without a segment": lengths.count(0),
      "segments": sum(lengths),
      "segments cut at the film's end": self.num_cut,
    }
    if past := sum(int(film.is_past_end().sum()) for film in self.films):
      counts["segments past the film's end"] = past
    reasons = collections.Counter(one.reason for one in self.left_out)
    return counts | {f"left out: {name}": n for name, n in reasons.items()}

  def as_clips(self) -> Annotations:
    """Returns the segments as clips to classify; other films give none.

    Segments past the film's end give none either.
    """
    records = [
      Record(
        id=f"{film.id}_{number}",
        path=film.path,
        label=tuple(label) if isinstance(label, list) else label,
        split=film.split,
        start=start,
        stop=end,
        origin=film.id,
      )
      for film in self.films
      for number, ((start, end), label, is_past) in enumerate(
        zip(
          film.segments.tolist(),
          film.labels.tolist(),
          film.is_past_end().tolist(),
          strict=True,
        )
      )
      if not is_past
    ]
    return Annotations(records, self.class_names)


def empty_labels(class_names: ClassNames) -> np.ndarray:
  """Returns the labels of no segments: (0,), or (0, K) of K tasks."""
  several = isinstance(class_names, Mapping)
  return np.zeros((0, len(class_names)) if several else 0, np.int64)
