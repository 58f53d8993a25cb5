"""Scores of an evaluation in a file, to be combined and compared later."""

import dataclasses
import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from temporal_jax.evaluation.predictions import Predictions
from temporal_jax.storage import whole_file
from temporal_jax.untrusted.json_text import parse_json
from temporal_jax.untrusted.npz import Declared, check_arrays, open_npz

ClassNames = Sequence[str] | Mapping[str, Sequence[str]]

_PARTS = ("class_names", "scores", "views")  # May be of several tasks.


@dataclasses.dataclass(frozen=True)
class SavedScores:
  """An evaluation as a file holds it.

  Attributes:
    predictions: Ids, labels and scores of the clips.
    class_names: Names of the L classes, or a dict with one entry per task.
    protocol: The test protocol as JSON holds it: how clips were cut and views
      averaged.
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

  It holds `ids`, `scores`, `class_names`, `protocol` (JSON), `labels` if they
  are known and `views` if they were kept; of several tasks scores/verb,
  class_names/verb and so on.

  Args:
    file: The file to write.
    predictions: Scores of the clips.
    class_names: Names of the L classes, or a dict with one entry per task.
    protocol: The test protocol: how clips were cut and views averaged; anything
      JSON can hold.

  Raises:
    ValueError: If the names do not fit the scores, in number or tasks.
  """
  _check(predictions, class_names)
  arrays = {
    "ids": np.array(predictions.ids, np.str_),
    "protocol": np.array(json.dumps(protocol)),
  }
  if predictions.labels is not None:
    arrays["labels"] = predictions.labels
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
  """Reads a file of `save_scores`.

  Raises:
    FileNotFoundError: If there is no such file.
    ValueError: If it holds something else, its parts do not fit each other,
      labels are of no class, scores are NaN or infinite, or see
      `untrusted.npz.open_npz`; the message names the file.
  """
  with open_npz(file, "saved scores") as archive:
    shapes = archive.declared
    tasks = None
    if "tasks" in shapes:
      check_arrays(shapes, {"tasks": ("text", (None,))})
      tasks = archive.read("tasks").tolist()
      if not tasks or len({*tasks}) < len(tasks):
        raise ValueError(f"tasks must be distinct names, got {tasks[:9]}")
    _check_declared(shapes, tasks)
    arrays = {
      name: archive.read(name)
      for name in shapes
      if name.split("/")[0] in ("ids", "labels", "protocol", *_PARTS)
    }
    names, scores, views = (_part(arrays, name, tasks) for name in _PARTS)
    labels = arrays.get("labels")
    protocol = parse_json(str(arrays["protocol"]), "protocol")
    if not isinstance(protocol, dict):
      raise ValueError("the entry protocol must be a JSON object")
    class_names = (
      {task: tuple(of_task.tolist()) for task, of_task in names.items()}
      if isinstance(names, dict)
      else tuple(names.tolist())
    )
    ids = tuple(arrays["ids"].tolist())
  try:
    predictions = Predictions(ids, labels, scores, views)
    _check(predictions, class_names)
  except ValueError as error:
    raise ValueError(f"{file}: {error}") from None
  return SavedScores(predictions, class_names, protocol)


def _check_declared(
  declared: Mapping[str, Declared], tasks: Sequence[str] | None
) -> None:
  """Checks that parts are of the same clips and classes, before reading."""
  check_arrays(declared, {"ids": ("text", (None,)), "protocol": ("text", ())})
  clips = declared["ids"].shape[0]
  endings = [""] if tasks is None else [f"/{task}" for task in tasks]
  counts = []
  for ending in endings:
    check_arrays(declared, {f"class_names{ending}": ("text", (None,))})
    counts.append(declared[f"class_names{ending}"].shape[0])
    scores = {f"scores{ending}": ("float", (clips, counts[-1]))}
    if f"views{ending}" in declared:
      scores[f"views{ending}"] = ("float", (clips, None, counts[-1]))
    check_arrays(declared, scores, f" by ids and class_names{ending}")
  if not clips or not all(counts):
    raise ValueError(f"there are {clips} clips of {counts} classes")
  labels = declared.get("labels")
  if labels is None:
    return
  if tasks is None and len(labels.shape) == 2:
    axes = (clips, counts[0])
  else:
    axes = (clips,) if tasks is None else (clips, len(tasks))
  numbers = ("integer", "float", "boolean")
  check_arrays(declared, {"labels": (numbers, axes)})


def _part(
  arrays: Mapping[str, np.ndarray], name: str, tasks: Sequence[str] | None
) -> Any:
  """Returns an array, or a dict with one per task; None if views are absent."""
  absent = name == "views" and not any(key.split("/")[0] == name for key in arrays)
  if absent:
    return None
  if tasks is None:
    return arrays[name]
  return {task: arrays[f"{name}/{task}"] for task in tasks}


def _check(predictions: Predictions, class_names: ClassNames) -> None:
  """Refuses names, views and labels that do not fit the scores."""
  scores, views = predictions.scores, predictions.views
  if isinstance(scores, dict) != isinstance(class_names, Mapping):
    raise ValueError("scores and class names must be of the same tasks.")
  of_tasks, names = _by_task(scores), _by_task(class_names)
  if list(of_tasks) != list(names):
    raise ValueError(
      f"the scores are of the tasks {[*of_tasks]}, the names of {[*names]}."
    )
  for task, part in of_tasks.items():
    of_task = f" of {task}" if task else ""
    if part.ndim != 2:
      raise ValueError(
        f"the scores{of_task} must be (N, L), got the shape {part.shape}."
      )
    if part.shape[1] != len(names[task]):
      raise ValueError(
        f"the scores{of_task} are of {part.shape[1]} classes, the names of "
        f"{len(names[task])}."
      )
    shape = part.shape if views is None else _by_task(views)[task].shape
    if views is not None and (len(shape), *shape[2:]) != (3, part.shape[1]):
      raise ValueError(
        f"the views{of_task} must be (N, V, L) of {part.shape[1]} classes, got "
        f"the shape {shape}."
      )
  if predictions.labels is not None:
    _check_labels(predictions, [part.shape[1] for part in of_tasks.values()])


def _check_labels(predictions: Predictions, widths: Sequence[int]) -> None:
  """Refuses labels that are no classes, naming the first clip.

  Args:
    predictions: Their labels are checked.
    widths: Number of classes of each task.
  """
  labels, count = predictions.labels, len(predictions.ids)
  of_tasks = isinstance(predictions.scores, dict)
  several = labels.ndim == 2 and not of_tasks
  if several:
    shape, kinds, allowed = (count, *widths), "biuf", "0 or 1 for each class"
  else:
    shape = (count, len(widths)) if of_tasks else (count,)
    last = [width - 1 for width in widths]
    kinds, allowed = "iu", f"whole, 0 to {last if of_tasks else last[0]}"
  if labels.shape != shape or labels.dtype.kind not in kinds:
    raise ValueError(
      f"labels must be numbers of the shape {shape}, {allowed}; got "
      f"{labels.dtype} of the shape {labels.shape}."
    )
  if several:
    fits = np.isin(labels, (0, 1))
  else:
    fits = (labels >= 0) & (labels < np.array(widths))
  wrong = np.flatnonzero(~fits.reshape(count, -1).all(axis=1))
  if wrong.size:
    raise ValueError(
      f"the labels of {wrong.size} of {count} clips are no classes: "
      f"{predictions.ids[wrong[0]]} has {labels[wrong[0]]}; allowed are "
      f"{allowed}."
    )


def _by_task(part: Any) -> dict[str, Any]:
  """Returns a dict by task as it is, other values under task ""."""
  return dict(part) if isinstance(part, Mapping) else {"": part}
