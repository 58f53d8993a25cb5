"""Suppression of segments that overlap better ones."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from temporal_jax.evaluation.detection.overlap import segment_iou
from temporal_jax.validation import check_choice, check_number, check_whole

SOFT_NMS = ("gaussian", "linear")
_PAIRS_AT_ONCE = 2**20
_STEPS_BETWEEN_CLEANUPS = 64

# Called with scores, intersections over union with a chosen segment, and its
# length; lowers the scores in place.
_Suppress = Callable[[np.ndarray, np.ndarray, float], None]


class Kept(NamedTuple):
  """Segments that are kept, the best score first.

  Attributes:
    indices: (K,) places among the candidates.
    scores: (K,) scores after suppression.
  """

  indices: np.ndarray
  scores: np.ndarray


def nms(
  segments: np.ndarray,
  scores: np.ndarray,
  labels: np.ndarray | None = None,
  *,
  threshold: float,
  min_score: float = 0.0,
  max_segments: int | None = None,
) -> Kept:
  """Keeps segments that overlap no kept one of a higher score.

  Args:
    segments: Candidates (N, 2): start and end.
    scores: (N,), at least 0. If equal, the first is the better one.
    labels: (N,) class of each; segments of different classes do not suppress
      each other. None is one class.
    threshold: Intersection over union in [0, 1] from which on a segment is
      suppressed; at 0 by any overlap, but not by none.
    min_score: Candidates of lower scores are left out.
    max_segments: Segments that are kept at most, of all classes; None is all.

  Raises:
    ValueError: If arrays do not fit each other, a number is not finite or out
      of range, or a segment ends before it starts.
  """
  check_number("threshold", threshold, 0, 1)

  def suppress(scores: np.ndarray, iou: np.ndarray, length: float) -> None:
    del length
    scores[(iou >= threshold) & (iou > 0)] = -1.0

  return _by_class(segments, scores, labels, suppress, min_score, max_segments)


def soft_nms(
  segments: np.ndarray,
  scores: np.ndarray,
  labels: np.ndarray | None = None,
  *,
  method: str = "gaussian",
  sigma: float = 0.5,
  threshold: float | tuple[float, float] = 0.0,
  duration: float = 1.0,
  min_score: float = 0.001,
  max_segments: int | None = None,
) -> Kept:
  """Keeps the best segment, lowers the scores of those it overlaps, and so on.

  A score is multiplied by exp(-iou^2 / sigma) ("gaussian") if the intersection
  over union is above the threshold, or by 1 - iou ("linear") if it is at least
  the threshold, as in the paper.

  Args:
    segments: Candidates (N, 2): start and end.
    scores: (N,), at least 0. If equal, the first is chosen.
    labels: (N,) class of each; segments of different classes do not suppress
      each other. None is one class.
    method: "gaussian" or "linear".
    sigma: Width of the Gaussian, above 0; BMN calls it alpha.
    threshold: Intersection over union; or those (low, high) for chosen segments
      of no length and of `duration`, in between in proportion, as BMN has it.
    duration: Length that counts as 1 for (low, high).
    min_score: Segments of lower scores are left out.
    max_segments: Segments that are kept at most, of all classes; None is all.

  Raises:
    ValueError: If arrays do not fit each other, a number is not finite or out
      of range, or a segment ends before it starts.

  Source: Bodla et al. 2017, https://arxiv.org/abs/1704.04503; functions
    `softnms_cpu` of happyharrycn/actionformer_release and `soft_nms` of
    open-mmlab/mmaction2.
  """
  check_choice("method", method, SOFT_NMS)
  check_number("sigma", sigma, np.finfo(float).tiny)
  check_number("duration", duration, np.finfo(float).tiny)
  pair = threshold if isinstance(threshold, tuple | list) else (threshold, threshold)
  if len(pair) != 2:
    raise ValueError(f"threshold must be a number or (low, high), got {threshold}.")
  low, high = pair
  for number in pair:
    check_number("threshold", number, 0, 1)

  def limit(length: float) -> float:
    return low + (high - low) * length / duration

  def gaussian(scores: np.ndarray, iou: np.ndarray, length: float) -> None:
    weights = np.square(iou)
    weights /= -sigma
    np.exp(weights, out=weights)
    if limit(length) > 0:
      weights[iou <= limit(length)] = 1.0
    scores *= weights

  def linear(scores: np.ndarray, iou: np.ndarray, length: float) -> None:
    weights = 1.0 - iou
    if limit(length) > 0:
      weights[iou < limit(length)] = 1.0
    scores *= weights

  suppress = gaussian if method == "gaussian" else linear
  return _by_class(segments, scores, labels, suppress, min_score, max_segments)


def vote(
  segments: np.ndarray,
  candidates: np.ndarray,
  scores: np.ndarray,
  *,
  threshold: float,
) -> np.ndarray:
  """Moves segments to the mean of the candidates that they nearly equal.

  A candidate weighs its score times the intersection over union with the
  segment, if that is at least the threshold.

  Args:
    segments: (K, 2), such as those that were kept.
    candidates: (N, 2), all that there were.
    scores: (N,) of the candidates before suppression.
    threshold: Intersection over union in (0, 1].

  Returns:
    Segments (K, 2). One without any weight stays as it is.

  Raises:
    ValueError: If arrays do not fit each other, a number is not finite or out
      of range, or a segment ends before it starts.

  Source: function `seg_voting` in libs/utils/nms.py of
    happyharrycn/actionformer_release.
  """
  check_number("threshold", threshold, np.finfo(float).tiny, 1)
  candidates, scores = _checked(candidates, scores)
  segments, _ = _checked(segments, np.zeros(len(segments)))
  voted = segments.copy()
  rows = max(1, _PAIRS_AT_ONCE // max(1, len(candidates)))
  for start in range(0, len(segments), rows):
    part = slice(start, start + rows)
    iou = segment_iou(segments[part, None], candidates[None])  # (rows, N)
    weights = np.where(iou >= threshold, scores * iou, 0.0)
    total = weights.sum(axis=1)
    moved = total > 0
    weights = weights[moved] / total[moved, None]
    voted[part][moved] = weights @ candidates
  return voted


def _by_class(
  segments: np.ndarray,
  scores: np.ndarray,
  labels: np.ndarray | None,
  suppress: _Suppress,
  min_score: float,
  max_segments: int | None,
) -> Kept:
  """Suppresses segments of each class and sorts the kept ones."""
  segments, scores = _checked(segments, scores)
  check_number("min_score", min_score, 0)
  if max_segments is not None:
    check_whole("max_segments", max_segments, 1)
  if labels is None:
    return _suppress(segments, scores, suppress, min_score, max_segments)
  labels = np.asarray(labels)
  if labels.shape != scores.shape:
    raise ValueError(f"labels must be {scores.shape}, got {labels.shape}.")
  by_label = np.argsort(labels, kind="stable")
  firsts = np.flatnonzero(np.diff(labels[by_label])) + 1
  indices, kept = [np.zeros(0, np.int64)], [np.zeros(0)]
  for places in np.split(by_label, firsts):
    one = _suppress(segments[places], scores[places], suppress, min_score, max_segments)
    indices.append(places[one.indices])
    kept.append(one.scores)
  indices, kept = np.concatenate(indices), np.concatenate(kept)
  order = np.lexsort((indices, -kept))[:max_segments]
  return Kept(indices[order], kept[order])


def _suppress(
  segments: np.ndarray,
  scores: np.ndarray,
  suppress: _Suppress,
  min_score: float,
  max_segments: int | None,
) -> Kept:
  """Chooses the best segment and lowers the others, until none is left.

  In the order of starts, those that overlap a segment are close together: only
  they are looked at.
  """
  places = np.argsort(segments[:, 0], kind="stable")
  segments, scores = segments[places], scores[places].copy()
  most = len(scores) if max_segments is None else max_segments
  chosen, kept = [], []
  starts = ends = lengths = last_end = np.zeros(0)
  for step in range(min(most, len(scores))):
    if step % _STEPS_BETWEEN_CLEANUPS == 0:
      left = scores >= min_score
      places, segments, scores = places[left], segments[left], scores[left]
      starts, ends = np.ascontiguousarray(segments.T)
      lengths = ends - starts
      # Largest of this and all before: it grows, so that it can be searched.
      last_end = np.maximum.accumulate(ends)
    if not len(scores):
      break
    best = int(scores.argmax())
    score = scores[best]
    if score < min_score:
      break
    equal = np.flatnonzero(scores[best:] == score)
    if len(equal) > 1:
      best += int(equal[np.argmin(places[best + equal])])
    chosen.append(places[best])
    kept.append(score)
    start, end, length = starts[best], ends[best], lengths[best]
    # It overlaps nothing any more, so that its score stays below all others.
    scores[best], ends[best] = -1.0, -np.inf
    if not length:
      continue
    first = last_end.searchsorted(start, "right")
    near = slice(first, starts.searchsorted(end, "left"))
    inter = np.minimum(ends[near], end)
    inter -= np.maximum(starts[near], start)
    np.maximum(inter, 0.0, out=inter)
    union = lengths[near] + length
    union -= inter
    inter /= union
    suppress(scores[near], inter, float(length))
  return Kept(np.array(chosen, np.int64), np.array(kept, np.float64))


def _checked(segments: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
  """Returns float64 arrays that fit each other."""
  segments, scores = (np.asarray(a, np.float64) for a in (segments, scores))
  if segments.shape != (len(scores), 2) or scores.ndim != 1:
    raise ValueError(
      "segments and scores must be (N, 2) and (N,), got "
      f"{segments.shape} and {scores.shape}."
    )
  wrong = ~(np.isfinite(segments).all(axis=1) & np.isfinite(scores) & (scores >= 0))
  wrong |= ~(segments[:, 0] <= segments[:, 1])
  if wrong.any():
    first = int(np.argmax(wrong))
    raise ValueError(
      f"{np.count_nonzero(wrong)} of {len(scores)} segments end before they "
      f"start, or have a time or a score that is not finite, or a negative "
      f"score; number {first} is {segments[first].tolist()} with the score "
      f"{scores[first]}."
    )
  return segments, scores
