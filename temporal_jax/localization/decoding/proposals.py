"""Proposals of a BMN: pairs of a start and an end, with their scores."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from temporal_jax.localization.networks.boundary_matching import (
  place_samples,
  valid_proposals,
)

_PEAK = 0.5  # Part of the highest score above which a boundary may be.


class Proposals(NamedTuple):
  """Proposals of one film.

  Attributes:
    segments: Start and end in positions, float64 (N, 2).
    scores: Score of each, float64 (N,).
    places: Duration and start of each in the maps, integers (N, 2).
  """

  segments: np.ndarray
  scores: np.ndarray
  places: np.ndarray


def average_windows(
  maps: Sequence[Mapping[str, np.ndarray]], starts: Sequence[int], length: int
) -> dict[str, np.ndarray]:
  """Returns a film's maps from its windows' maps, means where they overlap.

  Args:
    maps: Maps of each window: "start" and "end", (T,), and "confidence", (D, T,
      2).
    starts: First position of each window in the film.
    length: Positions of the film, P; later ones of windows are left out.

  Returns:
    "start" and "end", (P,), and "confidence", (D, P, 2): zero where no window
    is, or no proposal of such a duration ends inside a window.

  Raises:
    ValueError: If there are no windows, or not as many as starts.

  Source: function `fuse_epic_sliding_windows` in runs/test_epic_localization.py
    of alibaba-mmai-research/TAdaConv.
  """
  if not maps or len(maps) != len(starts):
    raise ValueError(f"got {len(maps)} windows and {len(starts)} starts.")
  durations, positions, _ = maps[0]["confidence"].shape
  valid = valid_proposals(durations, positions)
  sums = {
    "start": np.zeros(length),
    "end": np.zeros(length),
    "confidence": np.zeros((durations, length, 2)),
  }
  count, valid_count = np.zeros(length), np.zeros((durations, length))
  for window, start in zip(maps, starts, strict=True):
    stop = min(start + positions, length)
    here, held = slice(start, stop), slice(0, max(stop - start, 0))
    for name in ("start", "end"):
      sums[name][here] += window[name][held]
    kept = valid[:, held]
    sums["confidence"][:, here] += window["confidence"][:, held] * kept[..., None]
    count[here] += 1
    valid_count[:, here] += kept
  count, valid_count = np.maximum(count, 1), np.maximum(valid_count, 1)
  return {
    "start": sums["start"] / count,
    "end": sums["end"] / count,
    "confidence": sums["confidence"] / valid_count[..., None],
  }


def find_proposals(
  maps: Mapping[str, np.ndarray],
  *,
  classification_power: float = 1.2,
  regression_power: float = 1.0,
  boundaries: bool = False,
) -> Proposals:
  """Returns the proposals of a film.

  Each pair of a possible start and a later possible end is one, if it is no
  longer than the maps have durations. Possible are local maxima and scores of
  more than half of the highest; the first start and the last end always are.

  Args:
    maps: "start" and "end", (P,), and "confidence", (D, P, 2), of one film.
    classification_power: Exponent of the classified confidence in the score.
    regression_power: Exponent of the regressed confidence.
    boundaries: Whether the scores of start and end are factors too.

  Raises:
    ValueError: If the shapes do not fit.

  Source: function `parse_epic_bmn_proposals` in utils/tal_tools.py of
    alibaba-mmai-research/TAdaConv.
  """
  start, end = (np.asarray(maps[name], np.float64) for name in ("start", "end"))
  confidence = np.asarray(maps["confidence"], np.float64)
  fits = confidence.shape[1:] == (*start.shape, 2) and start.shape == end.shape
  if not fits or not start.size:
    raise ValueError(
      "start and end must be (P,), P > 0, and confidence (D, P, 2), got "
      f"{start.shape}, {end.shape} and {confidence.shape}."
    )
  is_start, is_end = _possible(start), _possible(end)
  is_start[0], is_end[-1] = True, True
  durations, length, _ = confidence.shape
  last = np.arange(1, durations + 1)[:, None] + np.arange(length)  # (D, P)
  is_pair = (last < length) & is_start & is_end[np.minimum(last, length - 1)]
  places = np.argwhere(is_pair)
  duration, first = places.T
  last = first + duration + 1
  regressed, classified = confidence[duration, first].T
  scores = classified**classification_power * regressed**regression_power
  if boundaries:
    scores *= start[first] * end[last]
  segments = np.stack([first, last], axis=1).astype(np.float64)
  return Proposals(segments, scores, places)


def _possible(scores: np.ndarray) -> np.ndarray:
  """Returns a mask of possible boundaries, without first and last position."""
  possible = np.zeros(len(scores), bool)
  inner = scores[1:-1]
  is_peak = (inner > scores[2:]) & (inner > scores[:-2])
  possible[1:-1] = is_peak | (inner > _PEAK * scores.max(initial=0))
  return possible


def class_scores(
  logits: np.ndarray, places: np.ndarray, *, points: int = 6
) -> np.ndarray:
  """Returns the probability of each class in each proposal.

  Logits are sampled at `points` places of a proposal; softmax is taken for each
  and each view, and they are averaged.

  Args:
    logits: Logits of windows around each position, (P, L) or of several views
      (V, P, L).
    places: Durations and starts of proposals, see `Proposals`.
    points: Places of a proposal.

  Returns:
    Probabilities, float64 (N, L).

  Source: function `perform_test` in runs/test_epic_localization.py of
    alibaba-mmai-research/TAdaConv.
  """
  logits = np.asarray(logits, np.float64)
  logits = logits.reshape(-1, *logits.shape[-2:])
  duration, start = places.T
  samples = place_samples(
    int(duration.max(initial=0)) + 1, bins=points, boundary_ratio=0.0
  )
  above = start[:, None, None] + samples.above[duration]  # (N, points, samples)
  weight = samples.weight[duration][..., None]
  last = logits.shape[1] - 1
  below, above = (np.clip(x, 0, last) for x in (above - 1, above))
  total = np.zeros((len(places), logits.shape[2]))
  for view in logits:
    sampled = ((1 - weight) * view[below] + weight * view[above]).mean(axis=2)
    sampled = np.exp(sampled - sampled.max(axis=-1, keepdims=True))
    total += (sampled / sampled.sum(axis=-1, keepdims=True)).mean(axis=1)
  return total / len(logits)
