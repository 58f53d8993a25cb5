"""A random part of a film, with the segments that are in it."""

from typing import NamedTuple

import numpy as np

_TRIES = 200  # Draws of a part, of which the first with a segment counts.


class Crop(NamedTuple):
  """A part of a film.

  Attributes:
    start: Its first position.
    stop: The position after its last one.
    segments: Start and end of the segments in it, in positions of the part, (N,
      2); they are cut at its ends.
    kept: For each segment of the film, whether it is in the part, bool.
  """

  start: int
  stop: int
  segments: np.ndarray
  kept: np.ndarray


def random_crop(
  rng: np.random.Generator,
  length: int,
  segments: np.ndarray,
  *,
  most: int,
  sizes: tuple[float, float] | None,
  share: float,
  margin: float,
) -> Crop:
  """Draws a part of a film: `most` positions of one that is longer.

  Args:
    rng: Source of the part's place and size.
    length: Positions of the film.
    segments: Start and end of its segments in positions, (N, 2).
    most: Positions of the part, at most.
    sizes: Least and greatest size of the part of a film that is not longer, as
      a share of the film; None takes all of it.
    share: Share of a segment that must be in the part, else it is left out.
    margin: Positions on both sides of the part that its features see.

  Source: function `truncate_feats` in libs/datasets/data_utils.py of
    happyharrycn/actionformer_release.
  """
  size = min(length, most)
  if sizes is not None and length <= most:
    low, high = (round(one * length) for one in sizes)
    size = int(rng.integers(max(low, 1), min(max(high, low, 1), length) + 1))
  if size == length:
    return Crop(0, length, segments, np.ones(len(segments), bool))
  for _ in range(_TRIES):
    start = int(rng.integers(0, length - size + 1))
    left = np.maximum(segments[:, 0], start - margin)
    right = np.minimum(segments[:, 1], start + size + margin)
    inside = np.maximum(right - left, 0)
    kept = inside >= share * (segments[:, 1] - segments[:, 0])
    kept &= inside > 0
    if kept.any() or not len(segments):
      break
  cut = np.stack([left, right], axis=1)[kept] - start
  return Crop(start, start + size, cut, kept)
