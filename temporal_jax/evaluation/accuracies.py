"""Accuracies of predictions, by their names."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from temporal_jax.evaluation import metrics
from temporal_jax.evaluation.predictions import Predictions, check_labelled


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
  values = {name: float(np.mean(hit)) for name, hit in clip_hits(predictions).items()}
  scores, labels = predictions.scores, predictions.labels
  if isinstance(scores, dict):
    return values
  precision = {"mAP": _mean(metrics.average_precisions(scores, labels))}
  if labels.ndim == 2:
    if lacks_classes(labels):
      official = metrics.charades_precisions(scores, labels)
      precision["charades_mAP"] = _mean(official)
    return precision
  by_class = metrics.class_accuracies(predictions.predicted, labels, scores.shape[1])
  return values | {"class_mean": _mean(by_class)} | precision


def clip_hits(predictions: Predictions) -> dict[str, np.ndarray]:
  """Finds the right clips, for each accuracy that is a share of clips.

  These are the names with "top" of `accuracies`, in their order; with several
  classes per clip there are none.

  Returns:
    (N,) bool by name.

  Raises:
    ValueError: If the labels are not known.
  """
  check_labelled(predictions)
  scores, labels = predictions.scores, predictions.labels
  if isinstance(scores, dict):
    return _together(predictions) | {
      f"{task}/top{k}": metrics.top_k_hits(of_task, labels[:, place], k)
      for place, (task, of_task) in enumerate(scores.items())
      for k in _ranks(of_task.shape[1])
    }
  if labels.ndim == 2:
    return {}
  return {
    f"top{k}": metrics.top_k_hits(scores, labels, k) for k in _ranks(scores.shape[1])
  }


def lacks_classes(labels: np.ndarray) -> bool:
  """Whether some clips of labels (N, L) have no class."""
  return not np.all(np.any(labels > 0, axis=1))


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
  ranked = tuple(f"top{k}" for k in _ranks(len(class_names)))
  return ranked + ("class_mean", "mAP")


def _ranks(num_classes: int) -> tuple[int, ...]:
  """Returns the k of top-k accuracies; of 0, unknown, classes any."""
  return (1,) if 0 < num_classes <= 5 else (1, 5)


def _together(predictions: Predictions) -> dict[str, np.ndarray]:
  """Returns the clips that are right in all tasks at once."""
  if len(predictions.scores) == 2:
    scores = (predictions.views or predictions.scores).values()
    pairs = math.prod(of_task.shape[-1] for of_task in scores)
    return {
      f"top{k}": metrics.pair_top_k_hits(*scores, predictions.labels, k)
      for k in _ranks(pairs)
    }
  return {"top1": np.all(predictions.predicted == predictions.labels, axis=1)}


def _mean(values: np.ndarray) -> float:
  """Returns the mean of the values that are known, 0 without any."""
  known = values[~np.isnan(values)]
  return float(known.mean()) if known.size else 0.0
