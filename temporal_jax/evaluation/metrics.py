"""Classification scores of a set of clips."""

import numpy as np


def top_k(scores: np.ndarray, labels: np.ndarray, k: int) -> float:
  """Share of clips whose label is among the k best classes.

  Args:
    scores: (N, L), larger is better.
    labels: (N,) in [0, L).
    k: At least 1; more than L counts as L.

  Returns:
    Fraction in [0, 1]; 0 without clips.
  """
  if not len(labels):
    return 0.0
  best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
  return float(np.mean(np.any(best == labels[:, None], axis=1)))


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
    labels: (N, L), above 0 for the classes of a clip.

  Returns:
    (L,) in [0, 1]; NaN for a class without clips.
  """
  values = np.full(scores.shape[1], np.nan)
  for number, (score, true) in enumerate(zip(scores.T, labels.T, strict=True)):
    positive = np.sort(score[true > 0])
    if positive.size:
      right = positive.size - np.searchsorted(positive, positive)
      every = score.size - np.searchsorted(np.sort(score), positive)
      values[number] = np.mean(right / every)
  return values
