"""Averages the scores of several views of a video."""

from collections.abc import Sequence

import numpy as np

from temporal_jax.evaluation.finite_scores import check_finite
from temporal_jax.validation import check_choice

FUSIONS = ("softmax", "logits")

_TINY = np.finfo(np.float32).tiny  # A probability that is 0 by rounding.


def average_views(
  views: np.ndarray,
  *,
  fusion: str = "softmax",
  weights: Sequence[float] | None = None,
) -> np.ndarray:
  """Averages the probabilities of views, or of runs, or their logits.

  "softmax": sum_v w_v p_v. "logits": softmax(sum_v w_v z_v) of the logits z; as
  z_v is log(p_v) except for a constant of each view, which softmax does not
  see, that is softmax(sum_v w_v log p_v).

  Args:
    views: Probabilities (N, V, L), views or runs before classes.
    fusion: One of `FUSIONS`.
    weights: Weights of the views (V,), above 0; they are divided by their sum.
      None gives all the same.

  Returns:
    Probabilities (N, L), in the dtype of `views`.

  Raises:
    ValueError: If `fusion` is unknown, the shape is another, a probability is
      NaN or infinite, a weight is not a finite number above 0, or logits are
      asked for where the probabilities of a view do not sum to 1, for example
      where a clip may have several classes.
  """
  check_choice("fusion", fusion, FUSIONS)
  views = np.asarray(views)
  if views.ndim != 3 or not views.shape[1]:
    raise ValueError(f"views must be (N, V, L), got {views.shape}.")
  check_finite(views)
  share = np.ones(views.shape[1]) if weights is None else np.array(weights, "d")
  usable = np.isfinite(share) & (share > 0)
  if share.shape != views.shape[1:2] or not np.all(usable):
    raise ValueError(
      f"weights must be {views.shape[1]} numbers above 0, got {weights}."
    )
  share /= share.sum()
  if fusion == "softmax":
    return np.einsum("nvl,v->nl", views, share).astype(views.dtype)
  sums = views.sum(axis=-1, dtype=np.float64)
  if not np.allclose(sums, 1, atol=1e-2):
    raise ValueError(
      "logits are averaged of probabilities that sum to 1, got a sum of "
      f"{sums.flat[np.abs(sums - 1).argmax()]:.3g}."
    )
  logits = np.log(np.maximum(views.astype(np.float64), _TINY))
  logits = np.einsum("nvl,v->nl", logits, share)
  odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
  return (odds / odds.sum(axis=-1, keepdims=True)).astype(views.dtype)


def accuracy_by_clips(
  views: np.ndarray,
  labels: np.ndarray,
  *,
  num_crops: int = 1,
  fusion: str = "softmax",
) -> dict[int, float]:
  """Returns top-1 accuracy by the number of clips of a video that are used.

  With c of C clips, the clips in the middle of c equal parts of the video are
  used, each with all its crops.

  Args:
    views: Probabilities (N, V, L) of V = C * num_crops views, the crops of a
      clip together.
    labels: (N,) true classes.
    num_crops: Crops of each clip.
    fusion: One of `FUSIONS`.

  Returns:
    {c: fraction in [0, 1]} for c = 1, ..., C.

  Raises:
    ValueError: If V is no multiple of `num_crops`, or see `average_views`.
  """
  if num_crops < 1 or views.shape[1] % num_crops:
    raise ValueError(f"{views.shape[1]} views are no multiple of {num_crops} crops.")
  clips = views.shape[1] // num_crops
  accuracies = {}
  for count in range(1, clips + 1):
    used = ((np.arange(count) + 0.5) * clips / count).astype(int)
    chosen = (used[:, None] * num_crops + np.arange(num_crops)).ravel()
    scores = average_views(views[:, chosen], fusion=fusion)
    accuracies[count] = float(np.mean(scores.argmax(axis=1) == labels))
  return accuracies
