"""Classification metrics of a set of clips: accuracy, mAP, confusion."""

import numpy as np

from temporal_jax.evaluation.finite_scores import check_finite

_PAIRS_AT_ONCE = 2**22


def top_k_hits(scores: np.ndarray, labels: np.ndarray, k: int) -> np.ndarray:
  """Whether the label of each clip is among the k best classes.

  Args:
    scores: (N, L), larger is better.
    labels: (N,) in [0, L).
    k: Number of best classes, at least 1; more than L counts as L.

  Returns:
    (N,) bool.

  Raises:
    ValueError: If a score is NaN or infinite.
  """
  check_finite(scores)
  best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
  return np.any(best == labels[:, None], axis=1)


def pair_top_k_hits(
  first: np.ndarray, second: np.ndarray, labels: np.ndarray, k: int
) -> np.ndarray:
  """Whether the pair of classes of each clip is among the k best pairs.

  A pair, such as a verb and a noun, which make an action, scores the product of
  the two probabilities, averaged over views.

  Args:
    first: Probabilities of the first task, (N, L1) or, of V views, (N, V, L1).
    second: Probabilities of the second task, (N, L2) or (N, V, L2).
    labels: (N, 2): in [0, L1) and [0, L2).
    k: Number of best pairs, at least 1.

  Returns:
    (N,) bool.

  Raises:
    ValueError: If clips or views of the tasks and labels differ, or a score is
      NaN or infinite.

  Source: class `EpicKitchenMeter` in tadaconv/utils/meters.py of
    alibaba-mmai-research/TAdaConv@75b7839, key `action_class_ind_pred`.
  """
  if first.shape[:-1] != second.shape[:-1] or labels.shape != (len(first), 2):
    raise ValueError(
      "clips and views of two tasks must be the same, got scores "
      f"{first.shape}, {second.shape} and labels {labels.shape}."
    )
  for scores in (first, second):
    check_finite(scores)
  one, two = (s[:, None] if s.ndim == 2 else s for s in (first, second))
  width = two.shape[-1]
  true = labels[:, 0] * width + labels[:, 1]
  rows = max(1, _PAIRS_AT_ONCE // (one.shape[-1] * width))
  hits = np.zeros(len(labels), bool)
  for start in range(0, len(labels), rows):
    part = slice(start, start + rows)
    pairs = np.einsum("nvi,nvj->nij", one[part], two[part])
    pairs = pairs.reshape(len(pairs), -1)
    score = np.take_along_axis(pairs, true[part, None], axis=1)
    before = np.arange(pairs.shape[1]) < true[part, None]
    ahead = (pairs > score) | ((pairs == score) & before)
    hits[part] = ahead.sum(axis=1) < k
  return hits


def class_accuracies(
  predicted: np.ndarray, labels: np.ndarray, num_classes: int
) -> np.ndarray:
  """Top-1 accuracy of each class.

  Args:
    predicted: (N,) best class of each clip.
    labels: (N,) true class.
    num_classes: Number of classes, L.

  Returns:
    (L,) in [0, 1]; NaN for a class without clips.
  """
  counts = np.bincount(labels, minlength=num_classes)
  right = np.bincount(labels[predicted == labels], minlength=num_classes)
  return np.where(counts > 0, right / np.maximum(counts, 1), np.nan)


def confusion_matrix(
  predicted: np.ndarray, labels: np.ndarray, num_classes: int
) -> np.ndarray:
  """Counts clips (L, L): rows are true classes, columns predicted ones."""
  matrix = np.zeros((num_classes, num_classes), np.int64)
  np.add.at(matrix, (labels, predicted), 1)
  return matrix


def average_precisions(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
  """Average precision of each class of clips that may have several.

  It is the mean, over a class' clips, of the share that such clips have among
  all that score at least as high: the area under the steps of precision over
  recall.

  Args:
    scores: (N, L), larger is better.
    labels: (N, L), above 0 for the classes of a clip; or (N,), its one class.

  Returns:
    (L,) in [0, 1]; NaN for a class without clips.

  Raises:
    ValueError: If a score is NaN or infinite.
  """
  check_finite(scores)
  if labels.ndim == 1:
    labels = labels[:, None] == np.arange(scores.shape[1])
  values = np.full(scores.shape[1], np.nan)
  for number, (score, true) in enumerate(zip(scores.T, labels.T, strict=True)):
    positive = np.sort(score[true > 0])
    if positive.size:
      right = positive.size - np.searchsorted(positive, positive)
      every = score.size - np.searchsorted(np.sort(score), positive)
      values[number] = np.mean(right / every)
  return values


def charades_precisions(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
  """Average precision of each class by the official evaluation of Charades.

  It gives clips without any class the score minus infinity in every class.
  They then rank after all others, and none of them is a class' clip: the
  precision at a class' clip counts only clips that have a class.

  Args:
    scores: (N, L), larger is better.
    labels: (N, L), above 0 for the classes of a clip.

  Returns:
    (L,) in [0, 1]; NaN for a class without clips.

  Raises:
    ValueError: If a score is NaN or infinite.

  Source: function `charades_map` in pytorch/utils/map.py of
    gsig/charades-algorithms@927794c. It ranks equal scores in the order that
    sorting leaves them; here each ranks after all of them.
  """
  check_finite(scores)
  has_class = np.any(labels > 0, axis=1)
  return average_precisions(scores[has_class], labels[has_class])
