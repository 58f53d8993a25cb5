"""Recall of proposals by their number: AR@AN and its area, as ActivityNet's."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from temporal_jax.evaluation.detection.average_precision import (
  ACTIVITY_NET_TIOU,
  check_thresholds,
)
from temporal_jax.evaluation.detection.film_segments import (
  FilmDetections,
  FilmTruth,
  films_of,
  join_films,
)
from temporal_jax.evaluation.detection.overlap import segment_iou
from temporal_jax.validation import check_whole


@dataclasses.dataclass(frozen=True)
class ProposalRecall:
  """Share of true segments that proposals find.

  Attributes:
    thresholds: The T intersections over union.
    recall: (T, A) with 1, 2, ..., A proposals per film, on average.
  """

  thresholds: tuple[float, ...]
  recall: np.ndarray

  @property
  def average_recall(self) -> np.ndarray:
    """The mean over thresholds (A,): AR@1, AR@2, ..., AR@A."""
    return self.recall.mean(axis=0)

  def at(self, number: int) -> float:
    """Returns the average recall with `number` proposals per film.

    Raises:
      ValueError: If `number` is not in [1, A].
    """
    most = self.recall.shape[1]
    if not 1 <= number <= most:
      raise ValueError(f"proposals per film must be in [1, {most}], got {number}.")
    return float(self.average_recall[number - 1])

  @property
  def auc(self) -> float:
    """The area under average recall over proposals per film, in percent."""
    recall, most = self.average_recall, self.recall.shape[1]
    return 100.0 * float(np.sum(recall[1:] + recall[:-1])) / 2 / most


def proposal_recall(
  truth: Mapping[str, FilmTruth],
  proposals: Mapping[str, FilmDetections],
  *,
  max_proposals: int = 100,
  thresholds: Sequence[float] = ACTIVITY_NET_TIOU,
) -> ProposalRecall:
  """Recall of proposals, whatever their labels, at 1 to A proposals per film.

  The number is an average: each film gives the same share of its proposals, the
  best ones. A film has first as many as let all films together have A times
  their number; its share is rounded down. Only films with a true segment count,
  and their proposals. A true segment may be found by any number of proposals,
  and a proposal may find several.

  Args:
    truth: Film -> its true segments; labels do not matter.
    proposals: Film -> its proposals; a missing film has none.
    max_proposals: Greatest number of proposals, A.
    thresholds: Intersections over union in (0, 1].

  Returns:
    The recall; NaN if no film has a true segment.

  Raises:
    ValueError: If an argument is out of range, or see `join_films`.

  Source: function `average_recall_vs_avg_nr_proposals` in
    Evaluation/eval_proposal.py of activitynet/ActivityNet.
  """
  check_whole("max_proposals", max_proposals, 1)
  wanted = check_thresholds(thresholds)
  true, found = join_films(
    {film: FilmTruth(one.segments, _none(one)) for film, one in truth.items()},
    {film: one._replace(labels=_none(one)) for film, one in proposals.items()},
  )
  films = [
    (true.segments[of_true], found.segments[of_found], found.scores[of_found])
    for of_true, of_found in zip(
      films_of(true, len(truth)), films_of(found, len(truth)), strict=True
    )
    if of_true.stop > of_true.start
  ]
  if not films:
    return ProposalRecall(
      tuple(wanted.tolist()), np.full((len(wanted), max_proposals), np.nan)
    )
  retrieved = sum(len(scores) for _, _, scores in films)
  ratio = max_proposals * len(films) / max(retrieved, 1)
  kept = [min(int(len(scores) * ratio), len(scores)) for _, _, scores in films]
  # In the order of operations of the source, as the products are rounded down.
  steps = np.arange(1, max_proposals + 1) / max_proposals
  shares = steps * (max_proposals * len(films) / max(sum(kept), 1))
  matches = np.zeros((len(wanted), max_proposals + 1), np.int64)
  for (of_film, segments, scores), count in zip(films, kept, strict=True):
    if not count:
      continue
    best = np.argsort(-scores, kind="stable")[:count]
    iou = segment_iou(of_film[:, None], segments[best][None])  # (G, P)
    # The first proposal that is good enough, P if none is: (G, T).
    near = np.maximum.accumulate(iou, axis=1)
    first = np.stack([np.sum(near < t, axis=1) for t in wanted], axis=1)
    numbers = np.minimum((count * shares).astype(np.int64), count)
    # The first share that holds that proposal; A if none does.
    column = np.searchsorted(numbers, first, "right")
    row = np.broadcast_to(np.arange(len(wanted)), column.shape)
    np.add.at(matches, (row, column), 1)
  total = sum(len(of_film) for of_film, _, _ in films)
  recall = np.cumsum(matches[:, :max_proposals], axis=1) / total
  return ProposalRecall(tuple(wanted.tolist()), recall)


def _none(film: FilmTruth | FilmDetections) -> np.ndarray:
  """Returns labels that are all the same."""
  return np.zeros(len(film.segments), np.int64)
