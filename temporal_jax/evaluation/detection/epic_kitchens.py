"""Average precision of verbs, nouns and actions, as EPIC-Kitchens has it."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from temporal_jax.evaluation.detection.average_precision import (
  AveragePrecision,
  joined_precision,
)
from temporal_jax.evaluation.detection.film_segments import (
  FilmDetections,
  FilmTruth,
  join_films,
)

EPIC_TIOU = tuple(np.linspace(0.1, 0.5, 5).tolist())


def epic_average_precision(
  truth: Mapping[str, FilmTruth],
  detections: Mapping[str, FilmDetections],
  thresholds: Sequence[float] = EPIC_TIOU,
) -> dict[str, AveragePrecision]:
  """Average precision of verbs, of nouns and of their pairs, the actions.

  Each task takes all detections, by the same score, with its own label. Only
  verbs, nouns and pairs that have a true segment count.

  Args:
    truth: Film -> its true segments, with labels (N, 2): verb and noun.
    detections: Film -> its detections, with labels (N, 2).
    thresholds: Intersections over union in (0, 1].

  Returns:
    "verb", "noun" and "action" -> its scores; classes of actions are (L, 2).

  Raises:
    ValueError: See `average_precision`.

  Source: class `ANETdetection` in EvaluationCode/
    evaluate_detection_json_ek100.py of epic-kitchens/C2-Action-Detection at
    63e95d1. Where a class has no true segment, it scores its detections as
    another class's, whose place in the list of classes is its number; here they
    are ignored.
  """
  true, found = join_films(truth, detections, num_tasks=2)
  # Numbers of the pairs, true ones and others.
  pairs, numbers = np.unique(
    np.concatenate([true.labels, found.labels]), axis=0, return_inverse=True
  )
  actions = np.split(numbers.reshape(-1), [len(true.labels)])
  scores = {}
  for task, (of_true, of_found) in {
    "verb": (true.labels[:, 0], found.labels[:, 0]),
    "noun": (true.labels[:, 1], found.labels[:, 1]),
    "action": actions,
  }.items():
    scores[task] = joined_precision(
      true._replace(labels=of_true), found._replace(labels=of_found), thresholds
    )
  action = scores["action"]
  scores["action"] = dataclasses.replace(action, classes=pairs[action.classes])
  return scores
