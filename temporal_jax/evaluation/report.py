"""The report of an evaluation, as plain numbers."""

import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from temporal_jax.evaluation import metrics
from temporal_jax.evaluation.evaluate import Predictions


def accuracies(predictions: Predictions) -> dict[str, float]:
  """Returns top1 and top5 as fractions of the clips."""
  scores, labels = predictions.scores, predictions.labels
  return {f"top{k}": metrics.top_k(scores, labels, k) for k in (1, 5)}


def summarize(
  predictions: Predictions,
  class_names: Sequence[str],
  *,
  listed: int,
  bad_videos: Mapping[str, str],
  seconds: float,
) -> dict[str, Any]:
  """Returns what report.json holds.

  Args:
    predictions: Scores of the clips that could be read.
    class_names: Names of the L classes.
    listed: Clips the test set lists.
    bad_videos: Why each bad test video could not be read.
    seconds: Time the evaluation took.

  Returns:
    `top1` and `top5` as fractions of the scored clips; `clips_listed`,
    `clips_decoded` and `clips_scored`; `seconds`; `per_class` with `top1` (None
    without clips) and `clips`; `confusion`, rows true and columns predicted;
    `bad_videos`.
  """
  labels, predicted = predictions.labels, predictions.predicted
  matrix = metrics.confusion_matrix(predicted, labels, len(class_names))
  counts = matrix.sum(axis=1)
  return {
    **accuracies(predictions),
    "clips_listed": listed,
    "clips_decoded": listed - len(bad_videos),
    "clips_scored": len(labels),
    "seconds": round(seconds, 2),
    "per_class": {
      name: {
        "top1": float(matrix[i, i] / counts[i]) if counts[i] else None,
        "clips": int(counts[i]),
      }
      for i, name in enumerate(class_names)
    },
    "confusion": matrix.tolist(),
    "bad_videos": dict(bad_videos),
  }


def save_report(summary: Mapping[str, Any], file: str | pathlib.Path) -> None:
  """Writes a summary as JSON; the file is never seen half written."""
  file = pathlib.Path(file)
  unfinished = file.with_name(file.name + ".tmp")
  unfinished.write_text(json.dumps(summary, indent=2) + "\n")
  unfinished.replace(file)
