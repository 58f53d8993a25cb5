"""Labels for segments that have none, from scores of classes."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from temporal_jax.localization.decoding.labels import best_pairs, label_by_video
from temporal_jax.localization.decoding.proposals import class_scores
from temporal_jax.localization.detector.decode import Decoded
from temporal_jax.localization.features.film_features import resample


class FilmProposals(NamedTuple):
  """Segments of one film that are to be labelled.

  Attributes:
    number: Which of the films that are detected in, from 0.
    segments: Start and end in positions, (N, 2).
    scores: Score of each, (N,).
    length: Positions of the film.
  """

  number: int
  segments: np.ndarray
  scores: np.ndarray
  length: int


# Gives segments labels, and may repeat them with other labels.
Labeller = Callable[[FilmProposals], Decoded]


class FilmLabels:
  """Gives all segments of a film the best classes of the film.

  It is for data sets whose films have one class, such as HACS and ActivityNet.
  """

  def __init__(
    self, scores: Sequence[np.ndarray], *, num_labels: int = 1, power: float = 1.0
  ):
    """Takes the scores of the classes.

    Args:
      scores: For each film, in the order of the films: (L,).
      num_labels: See `label_by_video`.
      power: See `label_by_video`.
    """
    self._scores, self._num_labels, self._power = scores, num_labels, power

  def __call__(self, proposals: FilmProposals) -> Decoded:
    """Returns each segment with each of the film's best classes."""
    labelled = label_by_video(
      proposals.segments,
      proposals.scores,
      np.asarray(self._scores[proposals.number]),
      num_labels=self._num_labels,
      power=self._power,
    )
    return Decoded(*labelled)


class PairLabels:
  """Gives each segment its most probable pairs of a verb and a noun.

  It is for EPIC-Kitchens-100; labels are (N, 2).
  """

  def __init__(
    self,
    verbs: Sequence[np.ndarray],
    nouns: Sequence[np.ndarray],
    *,
    num_pairs: int = 5,
    points: int = 6,
  ):
    """Takes the logits of a network for clips, around each position.

    Args:
      verbs: For each film, in the order of the films: (P, V), or (views, P, V)
        of several views. Other lengths than the film's are resampled to it.
      nouns: Likewise.
      num_pairs: Pairs of a segment, see `best_pairs`.
      points: Places of a segment that logits are taken at, see `class_scores`.
    """
    self._logits = verbs, nouns
    self._num_pairs, self._points = num_pairs, points

  def __call__(self, proposals: FilmProposals) -> Decoded:
    """Returns each segment with each of its best pairs."""
    first, last = np.rint(proposals.segments).astype(np.int64).T
    places = np.stack([np.maximum(last - first - 1, 0), first], axis=1)
    verbs, nouns = (
      class_scores(
        _of_length(task[proposals.number], proposals.length),
        places,
        points=self._points,
      )
      for task in self._logits
    )
    labels, products = best_pairs(verbs, nouns, num_pairs=self._num_pairs)
    scores = proposals.scores[:, None] * products  # (N, K)
    return Decoded(
      np.repeat(proposals.segments, scores.shape[1], axis=0),
      scores.ravel(),
      labels.reshape(-1, 2),
    )


def _of_length(logits: np.ndarray, length: int) -> np.ndarray:
  """Returns logits (views, length, L) of logits (P, L) or (views, P, L)."""
  logits = np.asarray(logits, np.float64)
  views = logits.reshape(-1, *logits.shape[-2:])
  if views.shape[1] == length:
    return views
  return np.stack([resample(view, max(length, 2))[:length] for view in views])
