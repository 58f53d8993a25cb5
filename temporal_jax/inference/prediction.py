"""The prediction of a network for a video."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np

from temporal_jax.data.labels import ClassNames
from temporal_jax.evaluation.finite_scores import check_finite
from temporal_jax.evaluation.predictions import Scores
from temporal_jax.validation import check_at_least

Labels = list[tuple[str, float]]


@dataclasses.dataclass(frozen=True)
class Prediction:
  """Class probabilities of a video, or why there are none.

  Attributes:
    file: The video, as it was asked for.
    probabilities: (L,) float32, or a dict with one entry per task; None of a
      video that cannot be read.
    error: Why it cannot be read; None of a good one.

  Raises:
    ValueError: If a probability is NaN or infinite: the network is broken, not
      the video.
  """

  file: str
  probabilities: Scores | None
  error: str | None = None

  def __post_init__(self) -> None:
    if self.probabilities is not None:
      rows = jax.tree.map(lambda scores: scores[None], self.probabilities)
      check_finite(rows, [self.file])

  def top(self, class_names: ClassNames, k: int = 5) -> Labels | dict[str, Labels]:
    """Returns the best k classes with their probabilities, best first.

    Args:
      class_names: Names of the L classes, or a dict with one entry per task;
        with () a class is called by its number.
      k: Most classes.

    Returns:
      [(label, probability)], or a dict with one list per task, in the order of
      the names.

    Raises:
      ValueError: If the video could not be read, k is below 1, or there are
        names of another number of classes.
    """
    if self.probabilities is None:
      raise ValueError(f"{self.file} has no classes: {self.error}.")
    check_at_least("k", k, 1)
    if not isinstance(self.probabilities, Mapping):
      return _best(self.probabilities, class_names, k)
    names = class_names or dict.fromkeys(self.probabilities, ())
    return {
      task: _best(self.probabilities[task], of_task, k)
      for task, of_task in names.items()
    }

  def record(self, class_names: ClassNames, k: int = 5) -> dict[str, Any]:
    """Returns {"file", "predictions", "error"} for JSON.

    Args:
      class_names: See `top`.
      k: See `top`.

    Returns:
      "predictions" is a list of {"label", "probability"}, of several tasks a
      dict of them, and with an error [].

    Raises:
      ValueError: See `top`.
    """
    predictions = []
    if self.error is None:
      predictions = _records(self.top(class_names, k))
    return {
      "file": self.file,
      "predictions": predictions,
      "error": self.error,
    }


def _best(probabilities: np.ndarray, names: Sequence[str], k: int) -> Labels:
  """Returns the best k of L classes; of equal ones the first."""
  if names and len(names) != len(probabilities):
    raise ValueError(f"there are {len(names)} names of {len(probabilities)} classes.")
  return [
    (names[i] if names else str(i), float(probabilities[i]))
    for i in np.argsort(-probabilities, kind="stable")[:k]
  ]


def _records(labels: Labels | dict[str, Labels]) -> Any:
  if isinstance(labels, dict):
    return {task: _records(of_task) for task, of_task in labels.items()}
  return [{"label": label, "probability": probability} for label, probability in labels]
