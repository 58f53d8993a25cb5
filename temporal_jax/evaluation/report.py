"""The report of an evaluation, as plain numbers."""

import json
import math
import pathlib
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from temporal_jax.display import file_name
from temporal_jax.evaluation import metrics
from temporal_jax.evaluation.accuracies import accuracies
from temporal_jax.evaluation.calibration import calibrations
from temporal_jax.evaluation.calibration_plot import save_calibration
from temporal_jax.evaluation.intervals import accuracy_intervals
from temporal_jax.evaluation.plots import (
  save_confusion,
  save_contact_sheet,
  save_curves,
)
from temporal_jax.evaluation.predictions import Predictions
from temporal_jax.evaluation.saved_scores import save_scores
from temporal_jax.storage import write_text


def summarize(
  predictions: Predictions,
  class_names: Sequence[str] | Mapping[str, Sequence[str]],
  *,
  listed: int,
  bad_videos: Mapping[str, str],
  seconds: float,
  protocol: Mapping[str, Any] = MappingProxyType({}),
  groups: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Any]:
  """Returns the content of report.json.

  Args:
    predictions: Scores of the clips that could be read.
    class_names: Names of the L classes, or a dict with one entry per task.
    listed: Clips the test set lists.
    bad_videos: Why each bad test video could not be read.
    seconds: Time the evaluation took.
    protocol: The test protocol: how clips were cut and views averaged.
    groups: Id of a clip -> its group, see `accuracy_intervals`.

  Returns:
    The values of `accuracies`; `intervals`, see `accuracy_intervals`;
    `calibration`, see `calibrations`; `clips_listed`, `clips_decoded` and
    `clips_scored`; `seconds`; `protocol`; `per_class` with `top1` (None without
    clips) and `clips`; `confusion`, rows true and columns predicted;
    `bad_videos`. Of several tasks the dict `tasks` has per_class and confusion
    of each; of several classes per clip, per_class has `ap` instead of top1,
    and confusion is missing.
  """
  return {
    **accuracies(predictions),
    "intervals": accuracy_intervals(predictions, groups),
    "calibration": calibrations(predictions),
    "clips_listed": listed,
    "clips_decoded": listed - len(bad_videos),
    "clips_scored": len(predictions.labels),
    "seconds": round(seconds, 2),
    "protocol": dict(protocol),
    **_by_class(predictions, class_names),
    "bad_videos": dict(bad_videos),
  }


def _by_class(
  predictions: Predictions,
  class_names: Sequence[str] | Mapping[str, Sequence[str]],
) -> dict[str, Any]:
  """Returns the part of a summary that goes by class."""
  labels, predicted = predictions.labels, predictions.predicted
  if isinstance(class_names, Mapping):
    return {
      "tasks": {
        task: _confused(predicted[:, place], labels[:, place], names)
        for place, (task, names) in enumerate(class_names.items())
      }
    }
  if labels.ndim == 1:
    return _confused(predicted, labels, class_names)
  values = metrics.average_precisions(predictions.scores, labels)
  return {
    "per_class": {
      name: {"ap": float(value) if count else None, "clips": int(count)}
      for name, value, count in zip(
        class_names, values, (labels > 0).sum(axis=0), strict=True
      )
    }
  }


def _confused(
  predicted: np.ndarray, labels: np.ndarray, class_names: Sequence[str]
) -> dict[str, Any]:
  """Returns top-1 by class and the confusion of classes."""
  matrix = metrics.confusion_matrix(predicted, labels, len(class_names))
  counts = matrix.sum(axis=1)
  return {
    "per_class": {
      name: {
        "top1": float(matrix[i, i] / counts[i]) if counts[i] else None,
        "clips": int(counts[i]),
      }
      for i, name in enumerate(class_names)
    },
    "confusion": matrix.tolist(),
  }


def headline(summary: Mapping[str, Any]) -> str:
  """Returns the line that a person reads first.

  Args:
    summary: See `summarize`; without `intervals` the line has none.
  """
  intervals = summary.get("intervals", {})
  measures = ", ".join(
    f"{name.replace('top', 'top-')} {value:.1%}"
    + _in_brackets(intervals.get("values", {}).get(name))
    for name, value in summary.items()
    if re.search(r"top\d$|mAP$", name) and _is_read_first(name, summary)
  )
  counts = (summary[f"clips_{what}"] for what in ("scored", "decoded"))
  covered = coverage(*counts, summary["clips_listed"])
  if any(intervals.get("values", {}).values()):
    covered += f"; in brackets {intervals['confidence']:.0%} confidence intervals"
    if intervals.get("unit") == "group":
      covered += f" of {intervals['units']} groups"
  return f"{measures} of {covered}."


def _in_brackets(interval: Sequence[float] | None) -> str:
  """Returns an interval as the headline has it; nothing for none."""
  if interval is None:
    return ""
  low, high = interval
  return f" ({100 * low:.1f} to {high:.1%})"


def coverage(scored: int, decoded: int, listed: int) -> str:
  """Returns the number of scored clips of a set, in words."""
  return f"{scored} clips scored, {decoded} decoded, {listed} listed"


def _is_read_first(name: str, summary: Mapping[str, Any]) -> bool:
  """Whether a measure is in the headline: mAP where there is no top-1."""
  return name != "mAP" or "top1" not in summary


def write_report(
  directory: str | pathlib.Path,
  summary: Mapping[str, Any],
  *,
  rows: Sequence[dict],
  sample: Mapping[str, np.ndarray],
  predictions: Predictions,
) -> None:
  """Writes the report of a run: `write_test`, curves.png and predictions.png.

  Args:
    directory: Folder to write to.
    summary: See `summarize`.
    rows: Rows of metrics.jsonl, for curves.png; without any there is none.
    sample: A batch of test clips, for predictions.png.
    predictions: Scores of these clips, and maybe of others.
  """
  directory = pathlib.Path(directory)
  write_test(directory, summary, predictions)
  class_names = _class_names(summary)
  several = class_names.values() if isinstance(class_names, dict) else [class_names]
  if rows:
    save_curves(
      rows,
      directory / "curves.png",
      measure="top1" if "top1" in summary else "mAP",
      num_classes=math.prod(map(len, several)),
    )
  save_contact_sheet(sample, predictions, class_names, directory / "predictions.png")


def write_test(
  directory: str | pathlib.Path,
  summary: Mapping[str, Any],
  predictions: Predictions,
) -> None:
  """Writes report.json, its pictures, and all scores as scores.npz.

  Args:
    directory: Folder to write to.
    summary: See `summarize`.
    predictions: Scores of the clips.
  """
  directory = pathlib.Path(directory)
  write_text(directory / "report.json", json.dumps(summary, indent=2) + "\n")
  class_names = _class_names(summary)
  save_scores(
    directory / "scores.npz",
    predictions,
    class_names,
    protocol=summary["protocol"],
  )
  for task, part in summary.get("tasks", {}).items():
    file = directory / f"confusion_{file_name(task)}.png"
    save_confusion(part["confusion"], class_names[task], file)
  if "confusion" in summary:
    save_confusion(summary["confusion"], class_names, directory / "confusion.png")
  calibration = summary["calibration"]
  for task, curve in (calibration if "tasks" in summary else {"": calibration}).items():
    file = directory / f"calibration{'_' + file_name(task) if task else ''}.png"
    save_calibration(curve, file)


def _class_names(summary: Mapping[str, Any]) -> list[str] | dict[str, list[str]]:
  """Returns the names of the classes of a summary, or a dict by task."""
  tasks = summary.get("tasks", {})
  names = {task: list(part["per_class"]) for task, part in tasks.items()}
  return names or list(summary["per_class"])
