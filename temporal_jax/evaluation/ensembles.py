"""Combines and compares runs by their saved scores."""

import dataclasses
import itertools
from collections.abc import Mapping, Sequence, Set
from typing import Any

import numpy as np

from temporal_jax.evaluation.metrics import class_accuracies
from temporal_jax.evaluation.predictions import Predictions, check_labelled
from temporal_jax.evaluation.saved_scores import SavedScores
from temporal_jax.evaluation.view_fusion import average_views


def align(runs: Sequence[SavedScores]) -> list[Predictions]:
  """Returns the predictions of runs in the order of the first.

  Clips are in its order, and so are classes, where another run has the same
  ones in another order. Where videos moved between runs, the folder that all
  ids of a run have in common does not count.

  Raises:
    ValueError: If there is no run, or classes, ids or labels differ between the
      first run and another one.
  """
  if not runs:
    raise ValueError("at least one run must be given.")
  first, aligned = runs[0], []
  rows = _rows(first.predictions.ids, "run 1")
  moved = _rows(_without_root(first.predictions.ids), "run 1")
  for number, run in enumerate(runs, start=1):
    who = f"run {number}"
    _check_classes(first, run, who)
    run = reordered(run, first.class_names)
    mine, ids = _rows(run.predictions.ids, who), first.predictions.ids
    if mine.keys() != rows.keys():
      other = _rows(_without_root(run.predictions.ids), who)
      if other.keys() == moved.keys():
        mine, ids = other, _without_root(ids)
    if mine.keys() != set(ids):
      raise ValueError(
        f"ids differ: only in run 1 are {_some(rows.keys() - mine.keys())}, "
        f"only in {who} {_some(mine.keys() - rows.keys())}."
      )
    order = np.array([mine[name] for name in ids], int)
    predictions = run.predictions.take(order)
    want, got = first.predictions.labels, predictions.labels
    if not np.array_equal(want, got):
      raise ValueError(f"labels of run 1 and {who} differ.")
    aligned.append(dataclasses.replace(predictions, ids=first.predictions.ids))
  return aligned


def ensemble(
  runs: Sequence[SavedScores],
  weights: Sequence[float] | None = None,
  *,
  fusion: str = "softmax",
) -> SavedScores:
  """Averages the scores of runs on the same clips.

  Frames of different number, networks or kinds of input (RGB and optical flow)
  are combined so. Of several tasks each is averaged by itself.

  Args:
    runs: R runs; their clips may be in different orders.
    weights: Weights of the runs (R,), above 0; None gives all the same.
    fusion: "softmax" or "logits", see `average_views`.

  Returns:
    Scores in the clip order of the first run, without views; the protocol
    contains the protocols of all runs with their weights.

  Raises:
    ValueError: If classes, ids or labels of the runs differ, or the weights do
      not fit them.
  """
  aligned = align(runs)

  def combine(scores: Sequence[np.ndarray]) -> np.ndarray:
    together = np.stack(scores, axis=1)
    return average_views(together, fusion=fusion, weights=weights)

  first = aligned[0]
  if isinstance(first.scores, Mapping):
    scores = {
      task: combine([run.scores[task] for run in aligned]) for task in first.scores
    }
  else:
    scores = combine([run.scores for run in aligned])
  shares = [1.0] * len(runs) if weights is None else [float(w) for w in weights]
  protocol = {
    "fusion": fusion,
    "runs": [
      {"weight": weight, "protocol": run.protocol}
      for weight, run in zip(shares, runs, strict=True)
    ],
  }
  return SavedScores(
    Predictions(first.ids, first.labels, scores),
    runs[0].class_names,
    protocol,
  )


def class_gains(before: SavedScores, after: SavedScores) -> np.ndarray:
  """Returns by how much one run recognizes each class better than another.

  Args:
    before: The run to compare with.
    after: The other run, on the same clips.

  Returns:
    (L,) difference of top-1 accuracies in [-1, 1]; NaN for a class without
    clips.

  Raises:
    ValueError: If classes, ids or labels differ, or a clip has several labels
      or none.
  """
  runs = align([before, after])
  check_labelled(runs[0])
  if runs[0].labels.ndim != 1:
    raise ValueError(
      f"gains are of clips of one class, got labels of shape {runs[0].labels.shape}."
    )
  old, new = (
    class_accuracies(run.predicted, run.labels, len(before.class_names)) for run in runs
  )
  return new - old


def _without_root(ids: Sequence[str]) -> list[str]:
  """Returns ids without the folders that all of them share."""
  folders = [name.split("/")[:-1] for name in ids]
  # Folders that the first and the last in their order share, all share.
  pairs = zip(min(folders), max(folders), strict=False) if folders else ()
  shared = sum(1 for _ in itertools.takewhile(lambda p: p[0] == p[1], pairs))
  return [name.split("/", shared)[-1] for name in ids]


def _rows(ids: Sequence[str], who: str) -> dict[str, int]:
  """Returns the row of each id."""
  rows = {name: row for row, name in enumerate(ids)}
  if len(rows) < len(ids):
    twice = next(name for row, name in enumerate(ids) if rows[name] != row)
    raise ValueError(f"{who} has the id {twice!r} twice.")
  return rows


def _check_classes(first: SavedScores, run: SavedScores, who: str) -> None:
  """Refuses runs of other classes; their order may be another."""
  if type(first.class_names) is not type(run.class_names):
    raise ValueError(f"run 1 and {who} are not both of several tasks.")
  names = [
    of if isinstance(of, Mapping) else {"": of}
    for of in (first.class_names, run.class_names)
  ]
  if list(names[0]) != list(names[1]):
    raise ValueError(
      f"tasks differ: {list(names[0])} of run 1, {list(names[1])} of {who}."
    )
  for task, known in names[0].items():
    other, of_task = names[1][task], f" of {task}" if task else ""
    if sorted(known) != sorted(other):
      raise ValueError(
        f"classes{of_task} of run 1 and {who} differ: {len(known)} and "
        f"{len(other)}; in run 1 only are {_some({*known} - {*other})}, in "
        f"{who} only {_some({*other} - {*known})}."
      )
    if known != other and len({*known}) < len(known):
      raise ValueError(
        f"classes{of_task} of {who} are in another order, and two of them have "
        "the same name."
      )


def reordered(run: SavedScores, class_names: Any) -> SavedScores:
  """Returns a run with its classes numbered in another order.

  Args:
    run: Its classes have these names, in any order.
    class_names: Names in the order wanted, or a dict with one entry per task.
  """
  if run.class_names == class_names:
    return run
  labels, predictions = run.predictions.labels, run.predictions
  if isinstance(class_names, Mapping):
    columns = {
      task: _columns(run.class_names[task], names)
      for task, names in class_names.items()
    }
    numbers = [np.argsort(of_task) for of_task in columns.values()]
    if labels is not None:
      labels = np.stack(
        [of[labels[:, place]] for place, of in enumerate(numbers)], axis=1
      )
  else:
    columns = _columns(run.class_names, class_names)
    if labels is not None:
      labels = np.argsort(columns)[labels] if labels.ndim == 1 else labels[:, columns]

  def take(scores: Any) -> Any:
    if isinstance(scores, Mapping):
      return {task: of[..., columns[task]] for task, of in scores.items()}
    return None if scores is None else scores[..., columns]

  return SavedScores(
    Predictions(
      predictions.ids, labels, take(predictions.scores), take(predictions.views)
    ),
    class_names,
    run.protocol,
  )


def _columns(own: Sequence[str], wanted: Sequence[str]) -> np.ndarray:
  """Returns for each wanted class its number among a run's own."""
  numbers = {name: number for number, name in enumerate(own)}
  return np.array([numbers[name] for name in wanted], int)


def _some(names: Set[str]) -> str:
  """Returns the number of names and the first of them."""
  first = ", ".join(sorted(names)[:3])
  return f"{len(names)} ({first})" if names else "none"
