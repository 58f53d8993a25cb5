"""Scores of an evaluation in a file, to be combined and compared later."""

import dataclasses
import json
import pathlib
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from temporal_jax.evaluation.predictions import Predictions
from temporal_jax.storage import whole_file

ClassNames = Sequence[str] | Mapping[str, Sequence[str]]

_PARTS = ("class_names", "scores", "views")  # May be of several tasks.


@dataclasses.dataclass(frozen=True)
class SavedScores:
  """An evaluation as a file holds it.

  Attributes:
    predictions: Ids, labels and scores of the clips.
    class_names: Names of the L classes, or a dict of those of each task.
    protocol: How clips were cut and views averaged, as JSON holds it.
  """

  predictions: Predictions
  class_names: tuple[str, ...] | dict[str, tuple[str, ...]]
  protocol: dict[str, Any]


def save_scores(
  file: str | pathlib.Path,
  predictions: Predictions,
  class_names: ClassNames,
  *,
  protocol: Mapping[str, Any],
) -> None:
  """Writes an npz file that is never seen half written.

  It holds `ids`, `labels`, `scores`, `class_names`, `protocol` (JSON) and, if
  they were kept, `views`; of several tasks scores/verb, class_names/verb and so
  on.

  Args:
    file: The file to write.
    predictions: Scores of the clips.
    class_names: Names of the L classes, or a dict of those of each task.
    protocol: How clips were cut and views averaged; anything JSON can hold.

  Raises:
    ValueError: If the names do not fit the scores, in number or tasks.
  """
  _check(predictions, class_names)
  arrays = {
    "ids": np.array(predictions.ids, np.str_),
    "labels": predictions.labels,
    "protocol": np.array(json.dumps(protocol)),
  }
  parts = (class_names, predictions.scores, predictions.views)
  for name, part in zip(_PARTS, parts, strict=True):
    if isinstance(part, Mapping):
      tasks = {f"{name}/{task}": values for task, values in part.items()}
      arrays |= {key: np.array(values) for key, values in tasks.items()}
    elif part is not None:
      arrays[name] = np.array(part)
  if isinstance(class_names, Mapping):
    arrays["tasks"] = np.array(list(class_names), np.str_)
  with whole_file(file) as partial, partial.open("wb") as out:
    np.savez_compressed(out, allow_pickle=False, **arrays)


def load_scores(file: str | pathlib.Path) -> SavedScores:
  """Reads what `save_scores` wrote.

  Raises:
    FileNotFoundError: If there is no such file.
    ValueError: If it holds something else, its parts do not fit each other, or
      scores are NaN or infinite; the message names the file.
  """
  try:
    # Opened here, since numpy leaves it open if it is no archive.
    with open(file, "rb") as held, np.load(held) as archive:
      arrays = dict(archive)
    tasks = arrays.pop("tasks", None)
    names, scores, views = (
      _part(arrays, name, None if tasks is None else tasks.tolist())
      for name in _PARTS
    )
    ids, labels = tuple(arrays["ids"].tolist()), arrays["labels"]
    protocol = json.loads(str(arrays["protocol"]))
  except (KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
    raise ValueError(f"{file} holds no saved scores: {error}") from error
  class_names = (
    {task: tuple(of_task.tolist()) for task, of_task in names.items()}
    if isinstance(names, dict)
    else tuple(names.tolist())
  )
  try:
    predictions = Predictions(ids, labels, scores, views)
    _check(predictions, class_names)
  except ValueError as error:
    raise ValueError(f"{file}: {error}") from None
  return SavedScores(predictions, class_names, protocol)


def _part(
  arrays: Mapping[str, np.ndarray], name: str, tasks: Sequence[str] | None
) -> Any:
  """Returns an array, or a dict of those of tasks; None if views are absent."""
  absent = name == "views" and not any(
    key.split("/")[0] == name for key in arrays
  )
  if absent:
    return None
  if tasks is None:
    return arrays[name]
  return {task: arrays[f"{name}/{task}"] for task in tasks}


def _check(predictions: Predictions, class_names: ClassNames) -> None:
  """Tells of names and labels that do not fit the scores."""
  scores = predictions.scores
  if isinstance(scores, dict) != isinstance(class_names, Mapping):
    raise ValueError("scores and class names must be of the same tasks.")
  if isinstance(scores, dict):
    widths = {task: of_task.shape[-1] for task, of_task in scores.items()}
    known = {task: len(names) for task, names in class_names.items()}
    matches = list(widths.items()) == list(known.items())
  else:
    widths, known = scores.shape[-1], len(class_names)
    matches = widths == known
  if not matches:
    raise ValueError(
      f"the scores are of {widths} classes, the names of {known}."
    )
