"""The report of an evaluation, as plain numbers."""

import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from temporal_jax.evaluation import metrics
from temporal_jax.evaluation.evaluate import Predictions
from temporal_jax.evaluation.figures import (
  save_confusion,
  save_contact_sheet,
  save_curves,
)


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


def headline(summary: Mapping[str, Any]) -> str:
  """Returns the line that a person reads first."""
  return (
    f"top-1 {summary['top1']:.1%}, top-5 {summary['top5']:.1%} of "
    f"{summary['clips_scored']} clips scored, {summary['clips_decoded']} "
    f"decoded, {summary['clips_listed']} listed."
  )


def write_report(
  directory: str | pathlib.Path,
  summary: Mapping[str, Any],
  *,
  rows: Sequence[dict],
  sample: Mapping[str, np.ndarray],
  predictions: Predictions,
) -> None:
  """Writes report.json and its pictures.

  Args:
    directory: Where to write.
    summary: As of `summarize`.
    rows: Rows of metrics.jsonl, for curves.png.
    sample: A batch of test clips, for predictions.png.
    predictions: Scores of these clips, and maybe of others.
  """
  directory = pathlib.Path(directory)
  class_names = list(summary["per_class"])
  unfinished = directory / "report.json.tmp"
  unfinished.write_text(json.dumps(summary, indent=2) + "\n")
  unfinished.replace(directory / "report.json")
  save_curves(rows, len(class_names), directory / "curves.png")
  save_confusion(summary["confusion"], class_names, directory / "confusion.png")
  save_contact_sheet(
    sample, predictions, class_names, directory / "predictions.png"
  )
