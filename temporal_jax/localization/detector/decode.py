"""Decodes the network's outputs for one film into its segments."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from temporal_jax.localization.decoding.points import Candidates
from temporal_jax.localization.decoding.proposals import (
  average_windows,
  find_proposals,
)
from temporal_jax.localization.detector.decoding_settings import (
  HARD,
  SOFT,
  PointDecoding,
  ProposalDecoding,
)
from temporal_jax.localization.suppression import Kept, nms, soft_nms, vote


class Decoded(NamedTuple):
  """Segments of one film, the best score first.

  Attributes:
    segments: Start and end in positions, float64 (N, 2).
    scores: Score of each, float64 (N,).
    labels: Class of each, integers (N,).
  """

  segments: np.ndarray
  scores: np.ndarray
  labels: np.ndarray


def decode_points(found: Candidates, decoding: PointDecoding) -> Decoded:
  """Chooses segments among the candidates of a film.

  Args:
    found: Candidates of one film: segments (N, 2), scores (N,), labels (N,).
    decoding: Settings of the decoding.
  """
  exists = found.scores > 0
  segments = np.asarray(found.segments, np.float64)[exists]
  scores = np.asarray(found.scores, np.float64)[exists]
  labels = np.asarray(found.labels)[exists]
  classes = None if decoding.class_agnostic else labels
  limits = {
    "min_score": decoding.min_score,
    "max_segments": decoding.max_segments,
  }
  if decoding.suppression == SOFT:
    kept = soft_nms(segments, scores, classes, sigma=decoding.sigma, **limits)
  elif decoding.suppression == HARD:
    kept = nms(segments, scores, classes, threshold=decoding.overlap, **limits)
  else:
    kept = _best(scores, **limits)
  chosen = segments[kept.indices]
  if decoding.voting is not None:
    chosen = vote(chosen, segments, scores, threshold=decoding.voting)
  return Decoded(chosen, kept.scores, labels[kept.indices])


def decode_proposals(
  maps: Sequence[Mapping[str, Any]],
  starts: Sequence[int],
  length: int,
  duration: float,
  decoding: ProposalDecoding,
) -> Decoded:
  """Chooses proposals of a film; all have the label 0.

  Args:
    maps: Maps of the network for each sequence, see `average_windows`.
    starts: First position of each sequence in the film.
    length: Positions of the film.
    duration: Seconds of the film.
    decoding: Settings of the decoding.
  """
  found = find_proposals(
    average_windows(maps, starts, length),
    classification_power=decoding.classification_power,
    regression_power=decoding.regression_power,
    boundaries=decoding.boundaries,
  )
  good = found.scores > decoding.threshold
  segments, scores = found.segments[good], found.scores[good]
  most = decoding.max_segments
  if decoding.per_second is not None:
    most = min(most, int(duration * decoding.per_second) + 1)
  if decoding.suppression == SOFT:
    kept = soft_nms(
      segments,
      scores,
      sigma=decoding.alpha,
      threshold=(decoding.low, decoding.high),
      duration=float(length),
      min_score=0.0,
      max_segments=most,
    )
  elif decoding.suppression == HARD:
    kept = nms(segments, scores, threshold=decoding.low, max_segments=most)
  else:
    kept = _best(scores, min_score=0.0, max_segments=most)
  labels = np.zeros(len(kept.indices), np.int64)
  return Decoded(segments[kept.indices], kept.scores, labels)


def _best(scores: np.ndarray, *, min_score: float, max_segments: int) -> Kept:
  """Keeps the best segments; of equal ones the first."""
  order = np.argsort(-scores, kind="stable")[:max_segments]
  order = order[scores[order] >= min_score]
  return Kept(order, scores[order])
