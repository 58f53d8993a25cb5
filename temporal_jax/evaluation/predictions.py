"""Predictions of a network for a set of clips."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from temporal_jax.evaluation.finite_scores import check_finite
from temporal_jax.evaluation.view_fusion import average_views

Scores = np.ndarray | dict[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Predictions:
  """Scores of N clips, or of N videos from V views each, in the source's order.

  Attributes:
    ids: Names of the clips, N of them.
    labels: (N,) true classes; (N, K) for K tasks; or (N, L) float, 1 for each
      of several true classes; None where they are not published.
    scores: (N, L) class probabilities, or a dict with one entry per task, in
      the order of the labels.
    views: (N, V, L) probabilities of each view that `scores` averages, or a
      dict with one entry per task; None where there is one view or they were
      not kept.

  Raises:
    ValueError: If there are not as many ids, labels and rows of scores, or a
      score is NaN or infinite, naming the clips.
  """

  ids: tuple[str, ...]
  labels: np.ndarray | None
  scores: Scores
  views: Scores | None = None

  def __post_init__(self) -> None:
    count = len(self.ids)
    if self.labels is not None and len(self.labels) != count:
      raise ValueError(f"{count} ids, but {len(self.labels)} labels.")
    for what, scores in (("scores", self.scores), ("views", self.views)):
      if scores is None:
        continue
      several = scores.values() if isinstance(scores, dict) else [scores]
      for values in several:
        if len(values) != count:
          raise ValueError(f"{count} ids, but scores of {len(values)} clips.")
      check_finite(scores, self.ids, what)

  @property
  def predicted(self) -> np.ndarray:
    """Best class of each clip (N,), or of each of K tasks (N, K)."""
    if isinstance(self.scores, dict):
      best = [scores.argmax(axis=1) for scores in self.scores.values()]
      return np.stack(best, axis=1)
    return self.scores.argmax(axis=1)

  def take(self, rows: np.ndarray) -> "Predictions":
    """Returns the clips of these numbers, in this order."""

    def of(values):
      if isinstance(values, dict):
        return {task: of(array) for task, array in values.items()}
      return None if values is None else values[rows]

    ids = tuple(self.ids[row] for row in rows)
    return Predictions(ids, of(self.labels), of(self.scores), of(self.views))


def from_views(
  ids: Sequence[str],
  labels: np.ndarray | None,
  scores: Scores,
  *,
  fusion: str = "softmax",
) -> Predictions:
  """Averages the scores of videos over their views, if they have several.

  Args:
    ids: Names of N videos.
    labels: See `Predictions`.
    scores: Probabilities (N, V, L), or (N, L) of single views; or a dict with
      one entry per task.
    fusion: Scores that are averaged, see `view_fusion.average_views`.

  Raises:
    ValueError: If a score is NaN or infinite, naming the videos, or see
      `average_views`.
  """
  check_finite(scores, ids)
  several = scores if isinstance(scores, dict) else {"": scores}
  if {values.ndim for values in several.values()} == {2}:
    return Predictions(tuple(ids), labels, scores)
  averaged = {
    task: average_views(values, fusion=fusion) for task, values in several.items()
  }
  return Predictions(
    tuple(ids),
    labels,
    averaged if isinstance(scores, dict) else averaged[""],
    scores,
  )


def group_views(predictions: Predictions, *, fusion: str = "softmax") -> Predictions:
  """Makes one prediction of all clips of one name, which are a video's views.

  Args:
    predictions: Predictions of single views; the views of a video in order, but
      other videos' views may be between them.
    fusion: Scores that are averaged, see `view_fusion.average_views`.

  Raises:
    ValueError: If videos differ in their number of views, or the views of one
      in their labels.
  """
  rows: dict[str, list[int]] = {}
  for row, name in enumerate(predictions.ids):
    rows.setdefault(name, []).append(row)
  counts = sorted({len(of_video) for of_video in rows.values()})
  if len(counts) > 1:
    few = next(name for name, of in rows.items() if len(of) == counts[0])
    raise ValueError(
      f"videos have {counts[0]} to {counts[-1]} views, {few} has {counts[0]}."
    )
  order = np.array(list(rows.values()))
  labels = predictions.labels[order]
  if np.any(labels != labels[:, :1]):
    raise ValueError("the views of a video have different labels.")
  scores = predictions.scores
  views = (
    {task: values[order] for task, values in scores.items()}
    if isinstance(scores, dict)
    else scores[order]
  )
  return from_views(tuple(rows), labels[:, 0], views, fusion=fusion)


def check_labelled(predictions: Predictions) -> None:
  """Raises ValueError if the true classes are not known."""
  if predictions.labels is None:
    raise ValueError(
      f"the classes of {len(predictions.ids)} videos are not published: how many "
      "are right is not known."
    )
