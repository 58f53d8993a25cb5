"""Interpolated average precision of detections, as ActivityNet computes it."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from temporal_jax.evaluation.detection.film_segments import (
  FilmDetections,
  FilmTruth,
  Joined,
  join_films,
)
from temporal_jax.evaluation.detection.matching import match_segments

# ActivityNet 1.3 and HACS; THUMOS14.
ACTIVITY_NET_TIOU = tuple(np.linspace(0.5, 0.95, 10).tolist())
THUMOS_TIOU = tuple(np.linspace(0.3, 0.7, 5).tolist())


@dataclasses.dataclass(frozen=True)
class AveragePrecision:
  """Average precision of each class at each overlap.

  Attributes:
    thresholds: The T intersections over union.
    classes: The L classes that have a true segment, ascending; classes of
      actions (verb, noun) are rows of (L, 2).
    values: (T, L) in [0, 1].
    num_true: (L,) true segments of each class.
    num_ignored: Detections of classes without a true segment, which no class
      counts.
  """

  thresholds: tuple[float, ...]
  classes: np.ndarray
  values: np.ndarray
  num_true: np.ndarray
  num_ignored: int

  @property
  def by_threshold(self) -> np.ndarray:
    """The mean over classes (T,); NaN if no class has a true segment."""
    if not self.values.shape[1]:
      return np.full(len(self.thresholds), np.nan)
    return self.values.mean(axis=1)

  @property
  def mean(self) -> float:
    """The mean over classes and thresholds: average mAP."""
    return float(self.by_threshold.mean())


def average_precision(
  truth: Mapping[str, FilmTruth],
  detections: Mapping[str, FilmDetections],
  thresholds: Sequence[float] = ACTIVITY_NET_TIOU,
) -> AveragePrecision:
  """Average precision of detections of classes that have a true segment.

  The detections of a class are sorted by score over all films, equal scores by
  the order of films in `truth` and of detections in a film. Each takes the true
  segment of its film and class that it overlaps most among those that are free;
  of equal ones the first. It is right if they overlap by at least the
  threshold. Precision is the largest at the same or a higher recall.

  Args:
    truth: Film -> its true segments. It has all films that are scored, also
      those without any segment.
    detections: Film -> its detections; a missing film has none.
    thresholds: Intersections over union in (0, 1].

  Raises:
    ValueError: If a threshold is not in (0, 1], or see `join_films`.

  Source: function `compute_average_precision_detection` in
    Evaluation/eval_detection.py of activitynet/ActivityNet. It leaves the order
    of equal scores to an unstable sort, and takes two segments without length
    at the same time for a match.
  """
  true, found = join_films(truth, detections)
  return joined_precision(true, found, thresholds)


def joined_precision(
  true: Joined, found: Joined, thresholds: Sequence[float]
) -> AveragePrecision:
  """Average precision of joined films with one label each.

  See `average_precision`.
  """
  wanted = check_thresholds(thresholds)
  classes, true_labels = np.unique(true.labels, return_inverse=True)
  labels = np.searchsorted(classes, found.labels)
  known = labels < len(classes)
  known[known] = classes[labels[known]] == found.labels[known]
  found = Joined(*(part[known] for part in found))
  labels = labels[known]
  # Classes one after the other, the best score first.
  order = np.lexsort((-found.scores, labels))
  films, segments, labels = (
    part[order] for part in (found.films, found.segments, labels)
  )
  num_films = 1 + max(int(f.max(initial=0)) for f in (films, true.films))
  hits = match_segments(
    labels * num_films + films,
    segments,
    true_labels * num_films + true.films,
    true.segments,
    wanted,
  )
  num_true = np.bincount(true_labels, minlength=len(classes))
  values = np.zeros((len(wanted), len(classes)))
  ends = np.searchsorted(labels, np.arange(len(classes) + 1))
  for number in range(len(classes)):
    part = hits[ends[number] : ends[number + 1]]
    values[:, number] = _area(part) / num_true[number]
  return AveragePrecision(
    tuple(wanted.tolist()), classes, values, num_true, int(np.sum(~known))
  )


def _area(hits: np.ndarray) -> np.ndarray:
  """Returns the sum (T,) of the precisions at which recall rises.

  Args:
    hits: (N, T) bool, the best score first.
  """
  if not len(hits):
    return np.zeros(hits.shape[1])
  precision = np.cumsum(hits, axis=0) / np.arange(1, len(hits) + 1)[:, None]
  precision = np.maximum.accumulate(precision[::-1], axis=0)[::-1]
  return np.sum(precision, axis=0, where=hits)


def check_thresholds(thresholds: Sequence[float]) -> np.ndarray:
  """Returns thresholds (T,); raises ValueError unless they are in (0, 1]."""
  values = np.asarray(thresholds, np.float64)
  if values.ndim != 1 or not values.size or not ((values > 0) & (values <= 1)).all():
    raise ValueError(f"thresholds must be numbers in (0, 1], got {thresholds}.")
  return values
