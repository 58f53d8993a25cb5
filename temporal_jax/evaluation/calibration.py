"""Compares the confidence of a network with its accuracy."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from temporal_jax.evaluation.predictions import Predictions, check_labelled

_MOST_BINS = 15  # As in Guo et al. 2017.
_CLIPS_PER_BIN = 10  # With fewer clips, chance would draw the curve.


def calibrations(predictions: Predictions) -> dict[str, Any]:
  """Returns the calibration, or a dict with one entry per task.

  The range of confidences is cut into bins of equal width: 15, with fewer than
  150 clips one per 10 clips, at least 2. A clip's confidence is the probability
  of its best class, and its accuracy whether that is right. Where a clip may
  have several classes, each clip and class is an example: its confidence is the
  probability, its accuracy whether the clip has the class.

  Returns:
    `bins`, their number; `ece`, the expected calibration error: the mean over
    examples of | accuracy - confidence | of their bin; `confidence` and
    `accuracy`, means over all; `examples`, "clips" or "clips and classes";
    `curve`, a list of the bins that have examples: `from`, `to`, `confidence`,
    `accuracy` and `examples`.

  Raises:
    ValueError: If the labels are not known.

  Source: Guo et al. 2017, On Calibration of Modern Neural Networks,
    https://arxiv.org/abs/1706.04599, equation 5.
  """
  check_labelled(predictions)
  scores, labels = predictions.scores, predictions.labels
  if isinstance(scores, Mapping):
    return {
      task: _of_best(of_task, labels[:, place])
      for place, (task, of_task) in enumerate(scores.items())
    }
  if labels.ndim == 1:
    return _of_best(scores, labels)
  return _calibration(scores.ravel(), labels.ravel() > 0, "clips and classes")


def _of_best(scores: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
  """Returns the calibration of the best class of each clip."""
  return _calibration(scores.max(axis=1), scores.argmax(axis=1) == labels, "clips")


def _calibration(
  confidence: np.ndarray, right: np.ndarray, examples: str
) -> dict[str, Any]:
  """Returns the calibration of examples (N,)."""
  bins = int(np.clip(len(right) // _CLIPS_PER_BIN, 2, _MOST_BINS))
  # Bin b has the confidences in (b / bins, (b + 1) / bins].
  number = np.clip(np.ceil(confidence * bins) - 1, 0, bins - 1).astype(int)
  curve = []
  for place in np.unique(number):
    inside = number == place
    curve.append(
      {
        "from": place / bins,
        "to": (place + 1) / bins,
        "confidence": float(np.mean(confidence[inside], dtype=np.float64)),
        "accuracy": float(np.mean(right[inside])),
        "examples": int(inside.sum()),
      }
    )
  gaps = [one["examples"] * abs(one["accuracy"] - one["confidence"]) for one in curve]
  return {
    "bins": bins,
    "ece": sum(gaps) / len(right),
    "confidence": float(np.mean(confidence, dtype=np.float64)),
    "accuracy": float(np.mean(right)),
    "examples": examples,
    "curve": curve,
  }
