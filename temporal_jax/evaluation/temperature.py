"""Fits the temperature that calibrates probabilities."""

from collections.abc import Callable, Mapping

import numpy as np

from temporal_jax.evaluation.finite_scores import check_finite
from temporal_jax.evaluation.view_fusion import average_views

# Beyond them a network is either sure of everything or of nothing.
LOWEST, HIGHEST = 0.05, 20.0
_COARSE = 61  # Temperatures tried first, the next one 10 % larger.
_GOLDEN = (5**0.5 - 1) / 2
_EXACT = 1e-5  # Relative width at which the search ends.
_TINY = 1e-12  # A probability that is 0 by rounding.


def fit_temperature(
  scores: np.ndarray | Mapping[str, np.ndarray],
  labels: np.ndarray,
  *,
  fusion: str = "softmax",
) -> float | dict[str, float]:
  """Returns the temperature T of the least negative log-likelihood.

  The logits z of every view become z / T. Views are averaged after that, as a
  network with this temperature is tested: T fits the averaged probabilities.
  Scores that were made with a temperature T0 have a further one: store T0 * T.

  Args:
    scores: Probabilities of held-out clips, (N, V, L) of V views or (N, L); of
      several tasks a dict of them.
    labels: (N,) true classes, (N, K) of K tasks, or (N, L), 1 for each of
      several classes; the binary likelihoods are then averaged.
    fusion: Scores that are averaged over views, see `average_views`.

  Returns:
    T, or a dict with one per task. Above 1, the network was too sure.

  Raises:
    ValueError: If shapes do not fit each other, a score is NaN or infinite, see
      `average_views`, or no T from 0.05 to 20 fits, for example where all clips
      are right: the likelihood then only grows as T falls.

  Source: Guo et al. 2017, On Calibration of Modern Neural Networks,
    https://arxiv.org/abs/1706.04599, section 4.2.
  """
  if isinstance(scores, Mapping):
    if labels.shape[1:] != (len(scores),):
      raise ValueError(
        f"labels of the tasks {[*scores]} must be (N, {len(scores)}), got "
        f"{labels.shape}."
      )
    return {
      task: fit_temperature(of_task, labels[:, place], fusion=fusion)
      for place, (task, of_task) in enumerate(scores.items())
    }
  scores, labels = np.asarray(scores, np.float64), np.asarray(labels)
  shape = (len(scores),) if labels.ndim == 1 else (len(scores), scores.shape[-1])
  if scores.ndim not in (2, 3) or labels.shape != shape or not len(scores):
    raise ValueError(
      "scores must be (N, L) or (N, V, L) and labels (N,) or (N, L), got "
      f"{scores.shape} and {labels.shape}."
    )
  check_finite(scores)
  views = scores if scores.ndim == 3 else scores[:, None]
  loss = (_softmax_loss if labels.ndim == 1 else _sigmoid_loss)(views, labels, fusion)
  return _least(loss, len(labels))


def _softmax_loss(
  views: np.ndarray, labels: np.ndarray, fusion: str
) -> Callable[[float], float]:
  """Returns T -> the mean negative log-likelihood of one class per clip."""
  logits = np.log(np.maximum(views, _TINY))  # Except for a constant of the view.

  def loss(temperature: float) -> float:
    scaled = logits / temperature
    odds = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    odds /= odds.sum(axis=-1, keepdims=True)
    scores = average_views(odds, fusion=fusion)
    true = np.take_along_axis(scores, labels[:, None], axis=1)
    return -float(np.mean(np.log(np.maximum(true, _TINY))))

  return loss


def _sigmoid_loss(
  views: np.ndarray, labels: np.ndarray, fusion: str
) -> Callable[[float], float]:
  """Returns T -> the mean negative log-likelihood of clips and classes."""
  views = np.clip(views, _TINY, 1 - _TINY)
  logits, has = np.log(views) - np.log1p(-views), labels > 0

  def loss(temperature: float) -> float:
    probabilities = 1 / (1 + np.exp(-logits / temperature))
    scores = average_views(probabilities, fusion=fusion)
    right = np.where(has, scores, 1 - scores)
    return -float(np.mean(np.log(np.maximum(right, _TINY))))

  return loss


def _least(loss: Callable[[float], float], clips: int) -> float:
  """Returns the temperature of the least loss, by golden section search.

  Of averaged views the loss may have several minima; the search begins around
  the best of some temperatures.
  """
  tried = np.geomspace(LOWEST, HIGHEST, _COARSE)
  best = int(np.argmin([loss(one) for one in tried]))
  if best in (0, len(tried) - 1):
    why = "all of them may be right" if best == 0 else "the scores may be of chance"
    raise ValueError(
      f"no temperature from {LOWEST:g} to {HIGHEST:g} fits the scores of {clips} "
      f"clips: {why}. Calibrate with more clips that training has not used."
    )
  low, high = np.log(tried[best - 1]), np.log(tried[best + 1])
  while high - low > _EXACT:
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    if loss(np.exp(left)) < loss(np.exp(right)):
      high = right
    else:
      low = left
  return float(np.exp((low + high) / 2))
