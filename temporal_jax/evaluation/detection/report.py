"""The report of detections in the films of a test, as numbers and pictures."""

import json
import math
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from temporal_jax.display.picture_text import new_figure, save_figure, short_label
from temporal_jax.evaluation.detection.average_precision import (
  AveragePrecision,
  average_precision,
)
from temporal_jax.evaluation.detection.detection_files import write_detections
from temporal_jax.evaluation.detection.epic_kitchens import epic_average_precision
from temporal_jax.evaluation.detection.film_segments import (
  FilmDetections,
  FilmTruth,
)
from temporal_jax.evaluation.detection.proposal_recall import proposal_recall
from temporal_jax.evaluation.detection_plots import save_detections
from temporal_jax.evaluation.plots import save_curves
from temporal_jax.evaluation.saved_scores import ClassNames
from temporal_jax.storage import write_text

# Proposals of a film, on average, whose recall is reported.
_NUMBERS = (1, 5, 10, 100)
_PAIRS = "action"  # The task of pairs of a verb and a noun.
_DRAWN = 60  # Classes, at most, whose names can be read under bars.


def detection_values(
  truth: Mapping[str, FilmTruth],
  detections: Mapping[str, FilmDetections],
  thresholds: Sequence[float],
  *,
  tasks: Sequence[str] = (),
) -> tuple[dict[str, float], dict[str, AveragePrecision]]:
  """Returns average precisions of detections, as fractions.

  "mAP", the mean of the average precisions over classes and thresholds, and
  "mAP@0.5" and so on, the mean for each threshold. Of verbs and nouns these are
  of their pairs, and "verb/mAP", "verb/mAP@0.5" and so on of each.

  Args:
    truth: Film -> its true segments, of all films that are tested.
    detections: Film -> its detections.
    thresholds: Intersections over union.
    tasks: ("verb", "noun") where labels are pairs of them.

  Returns:
    The values by name, and the precision of each class by task: "" where there
    is one, or "action", which is that of the pairs, "verb" and "noun".

  Raises:
    ValueError: See `average_precision`.
  """
  if not tasks:
    precisions = {"": average_precision(truth, detections, thresholds)}
  else:
    found = epic_average_precision(truth, detections, thresholds)
    precisions = {task: found[task] for task in (_PAIRS, *tasks)}
  values = {}
  for task, precision in precisions.items():
    name = _value_name(task)
    values[name] = precision.mean
    for threshold, value in zip(thresholds, precision.by_threshold, strict=True):
      values[f"{name}@{threshold:g}"] = float(value)
  return values, precisions


def proposal_values(
  truth: Mapping[str, FilmTruth],
  proposals: Mapping[str, FilmDetections],
  *,
  max_proposals: int,
) -> dict[str, float]:
  """Returns recalls of proposals, whatever their labels, as fractions.

  "AUC", the area under the average recall, and "AR@1", "AR@5", "AR@10" and
  "AR@100", as far as there are as many.

  Args:
    truth: Film -> its true segments, of all films that are tested.
    proposals: Film -> its proposals.
    max_proposals: Proposals of a film, on average, up to which recall counts.

  Raises:
    ValueError: See `proposal_recall`.
  """
  recall = proposal_recall(truth, proposals, max_proposals=max_proposals)
  numbers = [number for number in _NUMBERS if number <= max_proposals]
  return {
    "AUC": recall.auc / 100,
    **{f"AR@{number}": recall.at(number) for number in numbers},
  }


def value_names(
  thresholds: Sequence[float],
  *,
  tasks: Sequence[str] = (),
  max_proposals: int | None = None,
) -> tuple[str, ...]:
  """Returns the names of the values of both, those of proposals first.

  Args:
    thresholds: See `detection_values`.
    tasks: See `detection_values`.
    max_proposals: See `proposal_values`; None where they are not asked for.
  """
  names = []
  if max_proposals is not None:
    recalls = [f"AR@{number}" for number in _NUMBERS if number <= max_proposals]
    names += ["AUC", *recalls]
  for task in (_PAIRS, *tasks) if tasks else ("",):
    name = _value_name(task)
    names += [name, *(f"{name}@{threshold:g}" for threshold in thresholds)]
  return tuple(names)


def _value_name(task: str) -> str:
  """Returns the name of the mean average precision of a task."""
  return "mAP" if task in ("", _PAIRS) else f"{task}/mAP"


def by_class(
  precision: AveragePrecision, class_names: Sequence[str]
) -> dict[str, dict[str, Any]]:
  """Returns class -> {"ap": mean over thresholds, or None, "segments"}."""
  places = {int(label): place for place, label in enumerate(precision.classes)}
  return {
    name: {
      "ap": float(precision.values[:, places[label]].mean())
      if label in places
      else None,
      "segments": int(precision.num_true[places[label]]) if label in places else 0,
    }
    for label, name in enumerate(class_names)
  }


def write_detection_report(
  directory: str | pathlib.Path,
  summary: Mapping[str, Any],
  *,
  class_names: ClassNames,
  rows: Sequence[dict],
  truth: Mapping[str, FilmTruth],
  detections: Mapping[str, FilmDetections],
  durations: Mapping[str, float],
) -> None:
  """Writes report.json and detections.json, and pictures next to them.

  These are curves.png, average_precision.png and detections.png; of verbs and
  nouns average_precision_verb.png and average_precision_noun.png.

  Args:
    directory: Folder to write to.
    summary: Content of report.json: values by name, the main one first, and
      "per_class" as `by_class` returns it, or a dict of that by task.
    class_names: Names of the classes, or a dict with one list per task.
    rows: Rows of metrics.jsonl, for the curves.
    truth: Film -> its true segments, of all films that were tested.
    detections: Film -> its detections.
    durations: Film -> seconds.
  """
  directory = pathlib.Path(directory)
  write_text(directory / "report.json", json.dumps(summary, indent=2) + "\n")
  write_detections(directory / "detections.json", detections, class_names)
  by_task = isinstance(class_names, Mapping)
  lengths = map(len, class_names.values()) if by_task else [len(class_names)]
  save_curves(
    rows,
    directory / "curves.png",
    measure=next(iter(summary)),
    num_classes=math.prod(lengths),
  )
  per_class = summary["per_class"]
  for task in class_names if by_task else ("",):
    file = directory / f"average_precision{'_' * by_task}{task}.png"
    save_class_precision(per_class[task] if by_task else per_class, file)
  save_detections(
    truth,
    detections,
    class_names,
    directory / "detections.png",
    durations=durations,
  )


def save_class_precision(
  per_class: Mapping[str, Mapping[str, Any]], file: str | pathlib.Path
) -> None:
  """Draws the average precision of each class as bars, the best first.

  Args:
    per_class: See `by_class`; classes without a true segment are not drawn.
    file: PNG to write.
  """
  known = {name: one["ap"] for name, one in per_class.items() if one["segments"]}
  names = sorted(known, key=lambda name: -known[name])
  figure = new_figure(min(max(4.0, 0.35 * len(names) + 2), 18), 4.2)
  axes = figure.subplots()
  axes.bar(np.arange(len(names)), [100 * known[name] for name in names])
  if len(names) <= _DRAWN:
    labels = list(map(short_label, names))
    axes.set_xticks(np.arange(len(names)), labels, rotation=60, ha="right")
  axes.set(ylabel="average precision (%)", ylim=(0, 100))
  axes.grid(alpha=0.3, axis="y")
  axes.spines[["top", "right"]].set_visible(False)
  save_figure(figure, file, dpi=120)
