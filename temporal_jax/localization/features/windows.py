"""Windows of long features, with the segments inside each."""

from typing import NamedTuple

import numpy as np

from temporal_jax.validation import check_number, check_whole


class FeatureWindows(NamedTuple):
  """Windows of one length, which cover a film.

  Attributes:
    values: (N, size, C); zeros where a short film has no position.
    mask: (N, size) bool: where there is one.
    starts: (N,) position of each window's first one.
  """

  values: np.ndarray
  mask: np.ndarray
  starts: np.ndarray


def cut_windows(values: np.ndarray, size: int, step: int) -> FeatureWindows:
  """Cuts features into windows that overlap.

  The last window ends with the film, so that all positions are covered and only
  a film shorter than a window is filled up.

  Args:
    values: (T, C).
    size: Positions of a window, at least 1.
    step: Positions from one window to the next, in [1, size].

  Raises:
    ValueError: If an argument is out of range.
  """
  check_whole("size", size, 1)
  check_whole("step", step, 1)
  if values.ndim != 2 or not len(values) or step > size:
    raise ValueError(
      f"values must be (T, C) with T > 0 and step at most size, got {values.shape}, "
      f"step {step} and size {size}."
    )
  last = max(len(values) - size, 0)
  starts = np.append(np.arange(0, last, step), last)
  places = starts[:, None] + np.arange(size)
  mask = places < len(values)
  cut = values[np.minimum(places, len(values) - 1)]  # (N, size, C)
  return FeatureWindows(np.where(mask[..., None], cut, 0), mask, starts)


def segments_inside(
  segments: np.ndarray, start: float, end: float, *, share: float = 0.999
) -> np.ndarray:
  """Marks the segments of which more than a share is in a window of time.

  Args:
    segments: (N, 2) seconds.
    start: The window's start in seconds.
    end: Its end.
    share: Share of a segment's length, in [0, 1].

  Returns:
    (N,) bool.

  Raises:
    ValueError: If `share` is not in [0, 1].

  Source: tadaconv/datasets/base/epickitchen100_feature.py of
    alibaba-mmai-research/TAdaConv@75b7839.
  """
  check_number("share", share, 0, 1)
  inside = np.minimum(segments[:, 1], end) - np.maximum(segments[:, 0], start)
  return inside > share * (segments[:, 1] - segments[:, 0])
