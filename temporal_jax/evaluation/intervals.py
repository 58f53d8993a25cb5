"""Confidence intervals of accuracies, by the bootstrap."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from temporal_jax.binomial import wilson_interval
from temporal_jax.evaluation.accuracies import clip_hits, lacks_classes
from temporal_jax.evaluation.predictions import Predictions

CONFIDENCE = 0.95
_SEED = 0
_RESAMPLES = 1000
_ROUNDING = 1e-6  # Shares are computed in float32.
_AT_ONCE = 2**22  # Weights of clips in memory; 16 MiB.

# Weights (N, R) of N clips in R resamples -> the accuracy in each (R,).
_Statistic = Callable[[np.ndarray], np.ndarray]


def accuracy_intervals(
  predictions: Predictions, groups: Mapping[str, str] = MappingProxyType({})
) -> dict[str, Any]:
  """Returns the 95 % interval of each accuracy.

  Clips are drawn with replacement 1000 times, as many as there are, with a
  fixed seed; the interval reaches from the 2.5th to the 97.5th percentile of
  the accuracies. Clips of one group depend on each other: where there are
  groups, whole groups are drawn.

  An accuracy of 0 or 1, or one that all groups have, is the same in every
  resample. Its interval is then Wilson's, of as many examples as there are
  clips or groups. Where there is one clip or group, nothing can be drawn, and
  the interval is None.

  Args:
    predictions: Scores and labels of the clips.
    groups: Id of a clip -> its group; a clip without one is its own.

  Returns:
    `confidence`, `resamples` and `seed`; `unit`, "clip" or "group", and
    `units`, their number; `values`, by the names of `accuracies` [lowest,
    highest] or None.

  Raises:
    ValueError: If the labels are not known.

  Source: Efron, Tibshirani 1993, An Introduction to the Bootstrap, chapter 13.
  """
  unit_of_clip, count = _units(predictions, groups)
  statistics = _statistics(predictions)
  drawn: dict[str, list[np.ndarray]] = {name: [] for name in statistics}
  for weights in _resample(unit_of_clip, count):
    for name, of in statistics.items():
      drawn[name].append(of(weights))
  values = {
    name: _percentiles(np.concatenate(parts), count) for name, parts in drawn.items()
  }
  return {
    "confidence": CONFIDENCE,
    "resamples": _RESAMPLES,
    "seed": _SEED,
    "unit": "clip" if count == len(predictions.ids) else "group",
    "units": count,
    "values": values,
  }


def _units(
  predictions: Predictions, groups: Mapping[str, str]
) -> tuple[np.ndarray, int]:
  """Returns the number of each clip's unit (N,), and the number of units."""
  names = [
    ("group", groups[name]) if groups.get(name) else ("clip", name, row)
    for row, name in enumerate(predictions.ids)
  ]
  numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
  return np.array([numbers[name] for name in names]), len(numbers)


def _resample(unit_of_clip: np.ndarray, count: int) -> Iterator[np.ndarray]:
  """Yields the weights (N, R) of clips in all resamples, some at a time."""
  rng = np.random.default_rng(_SEED)
  most = max(1, _AT_ONCE // len(unit_of_clip))
  for start in range(0, _RESAMPLES, most):
    rows = min(most, _RESAMPLES - start)
    drawn = rng.integers(count, size=(rows, count))
    drawn += count * np.arange(rows)[:, None]
    times = np.bincount(drawn.ravel(), minlength=rows * count)
    # (R, units) -> (N, R); float32 has every number of clips below 2**24.
    yield times.reshape(rows, count).T[unit_of_clip].astype(np.float32)


def _percentiles(values: np.ndarray, units: int) -> list[float] | None:
  """Returns the interval of values (R,), see `accuracy_intervals`."""
  values = values[~np.isnan(values)].astype(np.float64)
  if units == 1 or not values.size:
    return None
  if np.ptp(values) < _ROUNDING:
    return list(wilson_interval(float(values[0]), units))
  tail = (1 - CONFIDENCE) / 2
  return np.quantile(values, (tail, 1 - tail)).tolist()


def _statistics(predictions: Predictions) -> dict[str, _Statistic]:
  """Returns the accuracies of `accuracies` as functions of weights of clips."""
  statistics = {
    name: _share(hit.astype(np.float32)) for name, hit in clip_hits(predictions).items()
  }
  scores, labels = predictions.scores, predictions.labels
  if isinstance(scores, dict):
    return statistics
  if labels.ndim == 1:
    hit = (predictions.predicted == labels).astype(np.float32)
    true = labels[:, None] == np.arange(scores.shape[1])
    statistics["class_mean"] = _class_mean(hit, true.astype(np.float32))
    statistics["mAP"] = _mean_precision(scores, true)
    return statistics
  true = labels > 0
  statistics["mAP"] = _mean_precision(scores, true)
  if lacks_classes(labels):
    has_class = np.any(true, axis=1)
    official = _mean_precision(scores[has_class], true[has_class])
    statistics["charades_mAP"] = lambda weights: official(weights[has_class])
  return statistics


def _share(hit: np.ndarray) -> _Statistic:
  """Returns the share of clips that are right."""
  return lambda weights: hit @ weights / weights.sum(axis=0)


def _class_mean(hit: np.ndarray, true: np.ndarray) -> _Statistic:
  """Returns the mean of the shares of the classes that have clips."""

  def statistic(weights: np.ndarray) -> np.ndarray:
    return _mean_of_known((true * hit[:, None]).T @ weights, true.T @ weights)

  return statistic


def _mean_precision(scores: np.ndarray, true: np.ndarray) -> _Statistic:
  """Returns the mean of the classes' average precisions.

  It is `metrics.average_precisions` of clips (N, L), each as many times as its
  weight.
  """
  ranked = [
    _Ranked.of(score, of_class)
    for score, of_class in zip(scores.T, true.T, strict=True)
    if of_class.any()
  ]

  def statistic(weights: np.ndarray) -> np.ndarray:
    if not ranked:
      return np.full(weights.shape[1], np.nan)
    pairs = [one.precisions(weights) for one in ranked]
    sums, counts = (np.stack(part) for part in zip(*pairs, strict=True))
    return _mean_of_known(sums, counts)

  return statistic


class _Ranked(NamedTuple):
  """The P clips of a class among all N, by rising score.

  Attributes:
    order: Numbers of all clips (N,).
    positive: Numbers of the clips of the class (P,).
    place: Place in `order` from which on clips score as high as each of them.
    own_place: The same in `positive`.
  """

  order: np.ndarray
  positive: np.ndarray
  place: np.ndarray
  own_place: np.ndarray

  @classmethod
  def of(cls, score: np.ndarray, true: np.ndarray) -> "_Ranked":
    """Ranks the clips of scores (N,), of the class where `true` (N,)."""
    order = np.argsort(score, kind="stable")
    positive = order[true[order]]
    own = score[positive]
    place, own_place = np.searchsorted(score[order], own), np.searchsorted(own, own)
    return cls(order, positive, place, own_place)

  def precisions(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns sum of precisions (R,) and weight of the class' clips (R,)."""
    own = weights[self.positive]
    # Weight of the clips that score at least as high, (P, R).
    every = _sums_from(weights[self.order], self.place)
    right = _sums_from(own, self.own_place)
    # A clip of weight 0 adds nothing, even where nothing scores as high.
    return np.sum(own * right / np.maximum(every, 1), axis=0), own.sum(axis=0)


def _sums_from(weights: np.ndarray, places: np.ndarray) -> np.ndarray:
  """Returns the sums (P, R) of weights (N, R) from each of P places on."""
  parts, number = np.unique(places, return_inverse=True)
  sums = np.add.reduceat(weights, parts, axis=0)  # From one place to the next.
  return np.cumsum(sums[::-1], axis=0)[::-1][number]


def _mean_of_known(sums: np.ndarray, counts: np.ndarray) -> np.ndarray:
  """Returns the mean over classes of sums / counts (L, R) where counts are."""
  known = counts > 0
  values = np.where(known, sums / np.maximum(counts, 1), 0)
  classes = known.sum(axis=0)
  return np.where(classes > 0, values.sum(axis=0) / np.maximum(classes, 1), np.nan)
