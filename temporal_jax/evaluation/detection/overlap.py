"""Overlap of segments in time."""

import numpy as np


def segment_iou(first: np.ndarray, second: np.ndarray) -> np.ndarray:
  """Intersection over union of segments; 0 if both have no length.

  Args:
    first: Segments (..., 2): start and end.
    second: Segments (..., 2) that broadcast with them: `first[:, None]` and
      `second[None]` for all pairs.

  Returns:
    (...) in [0, 1].
  """
  inter = np.minimum(first[..., 1], second[..., 1])
  inter = np.maximum(inter - np.maximum(first[..., 0], second[..., 0]), 0.0)
  lengths = (first[..., 1] - first[..., 0]) + (second[..., 1] - second[..., 0])
  union = lengths - inter
  return np.divide(inter, union, out=np.zeros_like(inter), where=union > 0)
