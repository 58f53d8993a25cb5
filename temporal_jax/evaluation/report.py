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
from temporal_jax.evaluation.plots import (
  save_confusion,
  save_contact_sheet,
  save_curves,
)
from temporal_jax.evaluation.predictions import Predictions, check_labelled
from temporal_jax.evaluation.saved_scores import save_scores
from temporal_jax.storage import write_text


def accuracies(predictions: Predictions) -> dict[str, float]:
  """Returns the accuracies over the clips, as fractions.

  With one class per clip: "top1", "top5", "class_mean", the mean of the
  classes' top-1, and "mAP", the mean of their average precisions. With several
  classes per clip: "mAP", and where some clips have no class "charades_mAP"
  too, the official score of Charades, which leaves these clips out. Only
  classes that have clips count in means. With several tasks
  there are "verb/top1", "verb/top5" and so on; "top1", the share of clips with
  all of them right; and with two, which make an action, "top5" of the pairs.
  With five classes or fewer there is no "top5".

  Raises:
    ValueError: If the labels are not known.
  """
  check_labelled(predictions)
  scores, labels = predictions.scores, predictions.labels
  if isinstance(scores, dict):
    return _together(predictions) | {
      f"{task}/top{k}": metrics.top_k(of_task, labels[:, place], k)
      for place, (task, of_task) in enumerate(scores.items())
      for k in _ranks(of_task.shape[1])
    }
  precision = {"mAP": _mean(metrics.average_precisions(scores, labels))}
  if labels.ndim == 2:
    if not np.all(np.any(labels > 0, axis=1)):
      official = metrics.charades_precisions(scores, labels)
      precision["charades_mAP"] = _mean(official)
    return precision
  by_class = metrics.class_accuracies(predictions.predicted, labels, scores.shape[1])
  values = {
    f"top{k}": metrics.top_k(scores, labels, k) for k in _ranks(scores.shape[1])
  }
  return values | {"class_mean": _mean(by_class)} | precision


def accuracy_names(
  class_names: Sequence[str] | Mapping[str, Sequence[str]], *, multi_label: bool
) -> tuple[str, ...]:
  """Returns the names of the values that `accuracies` may have.

  Args:
    class_names: Names of the classes, or a dict with one entry per task; ()
      where they are not known.
    multi_label: Whether a clip may have several classes.
  """
  if isinstance(class_names, Mapping):
    counts = {task: len(names) for task, names in class_names.items()}
    together = _ranks(math.prod(counts.values())) if len(counts) == 2 else (1,)
    return (
      *(f"top{k}" for k in together),
      *(f"{task}/top{k}" for task, count in counts.items() for k in _ranks(count)),
    )
  if multi_label:
    return ("mAP", "charades_mAP")
  return (*(f"top{k}" for k in _ranks(len(class_names))), "class_mean", "mAP")


def _ranks(num_classes: int) -> tuple[int, ...]:
  """Returns the k of top-k accuracies; of 0, unknown, classes any."""
  return (1,) if 0 < num_classes <= 5 else (1, 5)


def _together(predictions: Predictions) -> dict[str, float]:
  """Returns the accuracies of several tasks at once."""
  if len(predictions.scores) == 2:
    scores = (predictions.views or predictions.scores).values()
    pairs = math.prod(of_task.shape[-1] for of_task in scores)
    return {
      f"top{k}": metrics.pair_top_k(*scores, predictions.labels, k)
      for k in _ranks(pairs)
    }
  right = np.all(predictions.predicted == predictions.labels, axis=1)
  return {"top1": float(np.mean(right))}


def _mean(values: np.ndarray) -> float:
  """Returns the mean of the values that are known, 0 without any."""
  known = values[~np.isnan(values)]
  return float(known.mean()) if known.size else 0.0


def summarize(
  predictions: Predictions,
  class_names: Sequence[str] | Mapping[str, Sequence[str]],
  *,
  listed: int,
  bad_videos: Mapping[str, str],
  seconds: float,
  protocol: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
  """Returns the content of report.json.

  Args:
    predictions: Scores of the clips that could be read.
    class_names: Names of the L classes, or a dict with one entry per task.
    listed: Clips the test set lists.
    bad_videos: Why each bad test video could not be read.
    seconds: Time the evaluation took.
    protocol: The test protocol: how clips were cut and views averaged.

  Returns:
    What `accuracies` does; `clips_listed`, `clips_decoded` and `clips_scored`;
    `seconds`; `protocol`; `per_class` with `top1` (None without clips) and
    `clips`; `confusion`, rows true and columns predicted; `bad_videos`. Of
    several tasks the dict `tasks` has per_class and confusion of each; of
    several classes per clip, per_class has `ap` instead of top1, and confusion
    is missing.
  """
  return {
    **accuracies(predictions),
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
  """Returns the line that a person reads first."""
  measures = ", ".join(
    f"{name.replace('top', 'top-')} {value:.1%}"
    for name, value in summary.items()
    if re.search(r"top\d$|mAP$", name) and _is_read_first(name, summary)
  )
  counts = (summary[f"clips_{what}"] for what in ("scored", "decoded"))
  return f"{measures} of {coverage(*counts, summary['clips_listed'])}."


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
  """Writes report.json, its pictures, and all scores as scores.npz.

  Args:
    directory: Folder to write to.
    summary: See `summarize`.
    rows: Rows of metrics.jsonl, for curves.png.
    sample: A batch of test clips, for predictions.png.
    predictions: Scores of these clips, and maybe of others.
  """
  directory = pathlib.Path(directory)
  write_text(directory / "report.json", json.dumps(summary, indent=2) + "\n")
  of_tasks = summary.get("tasks", {})
  names = {task: list(part["per_class"]) for task, part in of_tasks.items()}
  class_names = names or list(summary["per_class"])
  save_scores(
    directory / "scores.npz",
    predictions,
    class_names,
    protocol=summary["protocol"],
  )
  save_curves(
    rows,
    directory / "curves.png",
    measure="top1" if "top1" in summary else "mAP",
    num_classes=math.prod(len(n) for n in names.values() or [class_names]),
  )
  for task, part in of_tasks.items():
    file = directory / f"confusion_{file_name(task)}.png"
    save_confusion(part["confusion"], names[task], file)
  if "confusion" in summary:
    file = directory / "confusion.png"
    save_confusion(summary["confusion"], class_names, file)
  save_contact_sheet(sample, predictions, class_names, directory / "predictions.png")
