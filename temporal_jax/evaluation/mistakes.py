"""Finds the clips whose class was not recognized."""

import numpy as np

from temporal_jax.evaluation.predictions import Predictions, check_labelled


def find_mistakes(predictions: Predictions) -> np.ndarray:
  """Returns the numbers of the misclassified clips, the surest mistake first.

  With several tasks a clip is misclassified where one of them is wrong, and its
  confidence is the product of the best probabilities; with several classes per
  clip, where its best class is none of them.

  Returns:
    (M,) of M mistakes, in [0, N).

  Raises:
    ValueError: If the labels are not known.
  """
  check_labelled(predictions)
  scores, labels, best = predictions.scores, predictions.labels, predictions.predicted
  if isinstance(scores, dict):
    wrong = np.any(best != labels, axis=1)
    sure = np.prod([of_task.max(axis=1) for of_task in scores.values()], axis=0)
  else:
    sure = scores.max(axis=1)
    wrong = best != labels if labels.ndim == 1 else labels[range(len(best)), best] <= 0
  rows = np.flatnonzero(wrong)
  return rows[np.argsort(-sure[rows], kind="stable")]
