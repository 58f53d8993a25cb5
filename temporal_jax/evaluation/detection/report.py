"""The report of detections in the films of a test, as numbers and pictures."""

import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from temporal_jax.display.picture_text import new_figure, save_figure, short_label
from temporal_jax.evaluation.detection.average_precision import (
  AveragePrecision,
  average_precision,
)
from temporal_jax.evaluation.detection.film_segments import (
  FilmDetections,
  FilmTruth,
)
from temporal_jax.evaluation.detection.proposal_recall import proposal_recall
from temporal_jax.evaluation.detection_plots import save_detections
from temporal_jax.evaluation.plots import save_curves
from temporal_jax.storage import write_text

# Proposals of a film, on average, whose recall is reported.
_NUMBERS = (1, 5, 10, 100)
_DRAWN = 60  # Classes, at most, whose names can be read under bars.


def detection_values(
  truth: Mapping[str, FilmTruth],
  detections: Mapping[str, FilmDetections],
  thresholds: Sequence[float],
  *,
  max_proposals: int | None = None,
) -> tuple[dict[str, float], AveragePrecision]:
  """Returns how good detections are, as fractions.

  "mAP", the mean of the average precisions over classes and thresholds, and
  "mAP@0.5" and so on, the mean for each threshold. For proposals also "AUC",
  the area under the average recall, and "AR@1", "AR@5", "AR@10" and "AR@100";
  it comes first.

  Args:
    truth: Film -> its true segments, of all films that are tested.
    detections: Film -> what was found.
    thresholds: Intersections over union.
    max_proposals: Proposals of a film, on average, up to which recall counts;
      None where detections are not proposals.

  Raises:
    ValueError: See `average_precision` and `proposal_recall`.
  """
  precision = average_precision(truth, detections, thresholds)
  values = {"mAP": precision.mean}
  for threshold, value in zip(thresholds, precision.by_threshold, strict=True):
    values[f"mAP@{threshold:g}"] = float(value)
  if max_proposals is None:
    return values, precision
  recall = proposal_recall(truth, detections, max_proposals=max_proposals)
  numbers = [number for number in _NUMBERS if number <= max_proposals]
  return {
    "AUC": recall.auc / 100,
    **{f"AR@{number}": recall.at(number) for number in numbers},
    **values,
  }, precision


def detection_names(
  thresholds: Sequence[float], *, max_proposals: int | None = None
) -> tuple[str, ...]:
  """Returns the names of what `detection_values` returns."""
  names = ["mAP", *(f"mAP@{threshold:g}" for threshold in thresholds)]
  if max_proposals is None:
    return tuple(names)
  recalls = [f"AR@{number}" for number in _NUMBERS if number <= max_proposals]
  return ("AUC", *recalls, *names)


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


def write_detections(
  file: str | pathlib.Path,
  detections: Mapping[str, FilmDetections],
  class_names: Sequence[str],
) -> None:
  """Writes what was found, as ActivityNet takes it.

  {"results": {film: [{"label", "score", "segment": [start, end]}, ...]}}, the
  times in seconds, the best score first.

  Args:
    file: JSON to write.
    detections: Film -> what was found.
    class_names: Names of the classes.
  """
  results = {
    film: [
      {
        "label": class_names[label],
        "score": round(score, 6),
        "segment": [round(start, 3), round(end, 3)],
      }
      for (start, end), label, score in zip(
        found.segments.tolist(),
        found.labels.tolist(),
        found.scores.tolist(),
        strict=True,
      )
    ]
    for film, found in detections.items()
  }
  content = {"version": "temporal_jax", "results": results, "external_data": {}}
  write_text(pathlib.Path(file), json.dumps(content) + "\n")


def write_detection_report(
  directory: str | pathlib.Path,
  summary: Mapping[str, Any],
  *,
  rows: Sequence[dict],
  truth: Mapping[str, FilmTruth],
  detections: Mapping[str, FilmDetections],
  durations: Mapping[str, float],
) -> None:
  """Writes report.json and detections.json, and pictures next to them.

  These are curves.png, average_precision.png and detections.png.

  Args:
    directory: Folder to write to.
    summary: Content of report.json: values by name, the main one first, and
      "per_class" as `by_class` returns it.
    rows: Rows of metrics.jsonl, for the curves.
    truth: Film -> its true segments, of all films that were tested.
    detections: Film -> what was found.
    durations: Film -> seconds.
  """
  directory = pathlib.Path(directory)
  write_text(directory / "report.json", json.dumps(summary, indent=2) + "\n")
  per_class = summary["per_class"]
  write_detections(directory / "detections.json", detections, list(per_class))
  save_curves(
    rows,
    directory / "curves.png",
    measure=next(iter(summary)),
    num_classes=len(per_class),
  )
  save_class_precision(per_class, directory / "average_precision.png")
  save_detections(
    truth,
    detections,
    list(per_class),
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
