"""Average precision of actions by a run for verbs and a run for nouns."""

import pathlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from temporal_jax.evaluation.detection.average_precision import (
  AveragePrecision,
  average_precision,
)
from temporal_jax.evaluation.detection.detection_files import (
  read_detections,
  read_task_truth,
)
from temporal_jax.evaluation.detection.epic_kitchens import (
  EPIC_TIOU,
  epic_average_precision,
)
from temporal_jax.evaluation.detection.film_segments import FilmDetections, FilmTruth
from temporal_jax.evaluation.detection.join_actions import join_actions

_TASKS = ("verb", "noun")
_DETECTIONS, _TRUTH = "detections.json", "truth.json"  # In the workdir of a run.
_NOTHING = FilmDetections(np.zeros((0, 2)), np.zeros(0, np.int64), np.zeros(0))


class ActionScores(NamedTuple):
  """Scores of the detections of two runs, joined and by themselves.

  Attributes:
    joined: "verb", "noun" and "action" -> scores of the joined detections, see
      `join_actions`.
    single: "verb" and "noun" -> scores of each run's own detections.
    num_films: Films that were tested.
  """

  joined: dict[str, AveragePrecision]
  single: dict[str, AveragePrecision]
  num_films: int


def score_actions(
  verb_run: pathlib.Path,
  noun_run: pathlib.Path,
  *,
  overlap: float = 0.5,
  num_nouns: int = 5,
) -> ActionScores:
  """Scores the joined detections of two runs on the same films.

  Args:
    verb_run: Workdir of a run that finds verbs.
    noun_run: Workdir of a run that finds nouns.
    overlap: See `join_actions`.
    num_nouns: See `join_actions`.

  Raises:
    FileNotFoundError: If a run has not written its detections.
    ValueError: If the runs were tested on other segments, are of other tasks,
      or a file is damaged.
  """
  runs = {"verb": verb_run, "noun": noun_run}
  truth, names = read_task_truth(_file(verb_run, _TRUTH), _TASKS)
  other, other_names = read_task_truth(_file(noun_run, _TRUTH), _TASKS)
  if _comparable(truth) != _comparable(other) or names != other_names:
    raise ValueError(
      f"{verb_run} and {noun_run} were tested on other films or segments: "
      f"{_counts(truth)} and {_counts(other)}."
    )
  found = {
    task: read_detections(_file(run, _DETECTIONS), names[task])
    for task, run in runs.items()
  }
  joined = {
    film: join_actions(
      *(found[task].get(film, _NOTHING) for task in _TASKS),
      overlap=overlap,
      num_nouns=num_nouns,
    )
    for film in truth
  }
  single = {
    task: average_precision(
      {film: FilmTruth(one.segments, one.labels[:, n]) for film, one in truth.items()},
      found[task],
      EPIC_TIOU,
    )
    for n, task in enumerate(_TASKS)
  }
  return ActionScores(epic_average_precision(truth, joined), single, len(truth))


def _file(run: pathlib.Path, name: str) -> pathlib.Path:
  """Returns a file of a run; raises FileNotFoundError if it is not there."""
  if not (run / name).is_file():
    raise FileNotFoundError(
      f"{run} has no {name}: it must be the workdir of a finished run on films. The "
      "run's command again writes it."
    )
  return run / name


def _comparable(truth: Mapping[str, FilmTruth]) -> dict[str, Any]:
  return {
    film: (one.segments.tolist(), one.labels.tolist()) for film, one in truth.items()
  }


def _counts(truth: Mapping[str, FilmTruth]) -> str:
  segments = sum(len(one.segments) for one in truth.values())
  return f"{segments} segments in {len(truth)} films"
