"""True and detected segments of films."""

import itertools
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from temporal_jax.display import printable


class FilmTruth(NamedTuple):
  """The true segments of a film; a film may have none.

  Attributes:
    segments: (N, 2) start and end in seconds.
    labels: (N,) class of each; (N, K) of K tasks.
  """

  segments: np.ndarray
  labels: np.ndarray


class FilmDetections(NamedTuple):
  """Segments that a detector found in a film.

  Attributes:
    segments: (N, 2) start and end in seconds.
    labels: (N,) class of each; (N, K) of K tasks.
    scores: (N,), larger is better.
  """

  segments: np.ndarray
  labels: np.ndarray
  scores: np.ndarray


class Joined(NamedTuple):
  """Segments of all films.

  Attributes:
    films: (N,) number of each segment's film.
    segments: (N, 2) seconds.
    labels: (N,) or (N, K).
    scores: (N,); 1 for true segments.
  """

  films: np.ndarray
  segments: np.ndarray
  labels: np.ndarray
  scores: np.ndarray


def join_films(
  truth: Mapping[str, FilmTruth],
  detections: Mapping[str, FilmDetections],
  num_tasks: int | None = None,
) -> tuple[Joined, Joined]:
  """Checks the segments of all films and joins them, films in their order.

  Args:
    truth: Film -> its true segments. It has all films that are scored, also
      those without any segment.
    detections: Film -> its detections. A missing film has none.
    num_tasks: K, where labels must be (N, K); None is (N,).

  Returns:
    The true segments and the found ones.

  Raises:
    ValueError: If a film has detections and no truth, arrays do not fit each
      other, a time or a score is not finite, or a segment ends before it
      starts; the film is named.
  """
  others = [film for film in detections if film not in truth]
  if others:
    raise ValueError(
      f"{len(others)} of {len(detections)} films have detections and are not "
      f"among the {len(truth)} films of the truth: {printable(str(others[:3]))}."
    )
  tail = () if num_tasks is None else (num_tasks,)
  true, found = [], []
  for number, (film, (segments, labels)) in enumerate(truth.items()):
    scores = np.ones(len(segments))
    where = f"the true segments of {printable(str(film))}"
    true.append((number, *_checked(where, segments, labels, scores, tail)))
    if film in detections:
      where = f"the detections of {printable(str(film))}"
      found.append((number, *_checked(where, *detections[film], tail)))
  return _join(true, tail), _join(found, tail)


def _checked(
  where: str,
  segments: np.ndarray,
  labels: np.ndarray,
  scores: np.ndarray,
  tail: tuple[int, ...],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
  """Returns the arrays of a film; an empty list is no segments."""
  segments, scores = (np.asarray(a, np.float64) for a in (segments, scores))
  labels = np.asarray(labels)
  if not segments.size:
    segments = segments.reshape(0, 2)
  count = len(segments)
  if not labels.size and not count:
    labels = np.zeros((0, *tail), np.int64)
  shapes = (segments.shape, labels.shape, scores.shape)
  if shapes != ((count, 2), (count, *tail), (count,)):
    raise ValueError(
      f"{where} must be of shapes (N, 2), (N{''.join(f', {n}' for n in tail)}) "
      f"and (N,), got {', '.join(map(str, shapes))}."
    )
  if labels.dtype.kind not in "iu":
    raise ValueError(f"{where}: labels must be integers, got {labels.dtype}.")
  wrong = ~(np.isfinite(segments).all(axis=1) & np.isfinite(scores))
  wrong |= ~(segments[:, 0] <= segments[:, 1])
  if wrong.any():
    first = int(np.argmax(wrong))
    raise ValueError(
      f"{where}: {np.count_nonzero(wrong)} of {count} end before they start, or "
      f"have a time or a score that is not finite; number {first} is "
      f"{segments[first].tolist()} with the score {scores[first]}."
    )
  return segments, labels.astype(np.int64), scores


def _join(films: list[tuple], tail: tuple[int, ...]) -> Joined:
  """Returns the segments of films (number, segments, labels, scores)."""
  if not films:
    films = [(0, np.zeros((0, 2)), np.zeros((0, *tail), np.int64), np.zeros(0))]
  numbers, segments, labels, scores = zip(*films, strict=True)
  lengths = [len(one) for one in segments]
  return Joined(
    np.repeat(np.asarray(numbers, np.int64), lengths),
    *(np.concatenate(parts) for parts in (segments, labels, scores)),
  )


def distinct_segments(
  segments: np.ndarray, labels: np.ndarray, *, tolerance: float = 1e-3
) -> np.ndarray:
  """Marks the segments of a film that do not repeat an earlier one.

  EPIC-Kitchens-100 and THUMOS14 list some segments twice.

  Args:
    segments: (N, 2) seconds.
    labels: (N,) or (N, K).
    tolerance: Seconds by which a repeated start and end may differ.

  Returns:
    (N,) bool.

  Source: function `remove_duplicate_annotations` in libs/utils/metrics.py of
    happyharrycn/actionformer_release.
  """
  kept = np.zeros(len(segments), bool)
  tasks = labels if labels.ndim == 2 else labels[:, None]
  for number in range(len(segments)):
    near = np.abs(segments[kept] - segments[number]).max(axis=1) <= tolerance
    same = (tasks[kept] == tasks[number]).all(axis=1)
    kept[number] = not (near & same).any()
  return kept


def films_of(joined: Joined, num_films: int) -> Iterator[slice]:
  """Yields the slice of each film's segments."""
  ends = np.searchsorted(joined.films, np.arange(num_films + 1))
  for start, stop in itertools.pairwise(ends.tolist()):
    yield slice(start, stop)
