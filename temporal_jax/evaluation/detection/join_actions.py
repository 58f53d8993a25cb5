"""Joins detections of verbs and of nouns into detections of actions."""

import numpy as np

from temporal_jax.evaluation.detection.film_segments import FilmDetections
from temporal_jax.evaluation.detection.overlap import segment_iou
from temporal_jax.validation import check_number, check_whole


def join_actions(
  verbs: FilmDetections,
  nouns: FilmDetections,
  *,
  overlap: float = 0.5,
  num_nouns: int = 5,
  max_segments: int = 2000,
) -> FilmDetections:
  """Joins the verbs and the nouns that two detectors found in a film.

  Neither the papers nor their code describe how. The rule here: a verb and a
  noun make an action if the intersection over union of their segments is at
  least `overlap`. Its score is the geometric mean of both scores times the
  intersection over union, its segment the mean of both, weighted by their
  scores. Each verb keeps the actions with its best nouns.

  Args:
    verbs: Detections with labels (N,) and scores in [0, 1].
    nouns: Likewise, (M,).
    overlap: Least intersection over union, in [0, 1].
    num_nouns: Actions of a verb's detection, at most.
    max_segments: Actions of the film, at most.

  Returns:
    Detections with labels (A, 2), verb and noun, the best score first.

  Raises:
    ValueError: If a setting is out of range or a score below 0.
  """
  check_number("overlap", overlap, 0, 1)
  check_whole("num_nouns", num_nouns, 1)
  check_whole("max_segments", max_segments, 1)
  if min(verbs.scores.min(initial=0), nouns.scores.min(initial=0)) < 0:
    raise ValueError("scores of verbs and nouns must be at least 0.")
  iou = segment_iou(verbs.segments[:, None], nouns.segments[None])  # (N, M)
  scores = np.sqrt(verbs.scores[:, None] * nouns.scores) * iou
  scores[iou < overlap] = 0
  best = np.argsort(-scores, axis=1, kind="stable")[:, :num_nouns]
  verb = np.repeat(np.arange(len(scores)), best.shape[1])
  noun = best.ravel()
  scores = scores[verb, noun]
  order = np.argsort(-scores, kind="stable")[:max_segments]
  order = order[scores[order] > 0]
  verb, noun = verb[order], noun[order]
  first, second = verbs.scores[verb][:, None], nouns.scores[noun][:, None]
  total = verbs.segments[verb] * first + nouns.segments[noun] * second
  return FilmDetections(
    total / (first + second),
    np.stack([verbs.labels[verb], nouns.labels[noun]], axis=1),
    scores[order],
  )
