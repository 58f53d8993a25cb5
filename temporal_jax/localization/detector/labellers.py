"""Labels for segments that have none, from scores of classes."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from temporal_jax.localization.decoding.labels import best_pairs, label_by_video
from temporal_jax.localization.decoding.proposals import class_scores
from temporal_jax.localization.detector.decode import Decoded
from temporal_jax.localization.features.film_features import (
  FilmFeatures,
  interpolate,
  resample,
)


class FilmProposals(NamedTuple):
  """Segments of one film that are to be labelled.

  Attributes:
    number: Number of the film among the given films, from 0.
    found: Detected segments and their scores, in positions.
    film: The film, with these positions.
  """

  number: int
  found: Decoded
  film: FilmFeatures


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
      scores: Scores of each film, in the order of the films: (L,).
      num_labels: See `label_by_video`.
      power: See `label_by_video`.
    """
    self._scores, self._num_labels, self._power = scores, num_labels, power

  def __call__(self, proposals: FilmProposals) -> Decoded:
    """Returns each segment with each of the film's best classes."""
    labelled = label_by_video(
      proposals.found.segments,
      proposals.found.scores,
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
    verbs: Sequence[np.ndarray | FilmFeatures],
    nouns: Sequence[np.ndarray | FilmFeatures],
    *,
    num_pairs: int = 5,
    power: float = 1.0,
    points: int = 6,
  ):
    """Takes the logits of a network for clips, around each position.

    Args:
      verbs: Logits of each film, in the order of the films: (P, V), or (views,
        P, V) of several views. Other lengths than the film's are resampled to
        it; of `FilmFeatures` (P, V) the times of the film's positions are read.
      nouns: Logits of the nouns, likewise.
      num_pairs: Pairs of a segment, see `best_pairs`.
      power: Exponent of the product of a segment's score and its pair's.
      points: Places of a segment that logits are taken at, see `class_scores`.
    """
    self._logits = verbs, nouns
    self._num_pairs, self._power, self._points = num_pairs, power, points

  def __call__(self, proposals: FilmProposals) -> Decoded:
    """Returns each segment with each of its best pairs."""
    segments, scores, _ = proposals.found
    first, last = np.rint(segments).astype(np.int64).T
    places = np.stack([np.maximum(last - first - 1, 0), first], axis=1)
    verbs, nouns = (
      class_scores(
        _at_positions(task[proposals.number], proposals.film),
        places,
        points=self._points,
      )
      for task in self._logits
    )
    labels, products = best_pairs(verbs, nouns, num_pairs=self._num_pairs)
    scores = (scores[:, None] * products) ** self._power  # (N, K)
    return Decoded(
      np.repeat(segments, scores.shape[1], axis=0),
      scores.ravel(),
      labels.reshape(-1, 2),
    )


def _at_positions(logits: np.ndarray | FilmFeatures, film: FilmFeatures) -> np.ndarray:
  """Returns the logits (views, P, L) at the P positions of a film."""
  length = len(film.values)
  if isinstance(logits, FilmFeatures):
    places = logits.positions(film.seconds(np.arange(length)))
    return interpolate(logits.values, places)[None]
  logits = np.asarray(logits, np.float64)
  views = logits.reshape(-1, *logits.shape[-2:])
  if views.shape[1] == length:
    return views
  return np.stack([resample(view, max(length, 2))[:length] for view in views])
