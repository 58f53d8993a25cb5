"""Segments of an ActionFormer: a candidate for each position and class."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np


class Candidates(NamedTuple):
  """Candidates of a batch of films, with static shapes.

  Attributes:
    segments: Start and end in positions, (B, N, 2).
    scores: Score of each, (B, N); 0 for those that are none.
    labels: Class of each, int32 (B, N).
  """

  segments: jax.Array
  scores: jax.Array
  labels: jax.Array


def find_candidates(
  levels: Sequence[dict[str, Any]],
  *,
  threshold: float = 0.001,
  most: int = 2000,
  shortest: float = 0.05,
) -> Candidates:
  """Returns the best candidates of each level.

  Args:
    levels: Outputs of an `ActionFormer`, one dict per level.
    threshold: Score above which there is a candidate.
    most: Candidates of a level, at most.
    shortest: Length above which there is a candidate, in positions.

  Source: method `inference_single_video` of class `PtTransformer` in
    libs/modeling/meta_archs.py of happyharrycn/actionformer_release.
  """
  found = [_find_in_level(level, threshold, most, shortest) for level in levels]
  return Candidates(*(jnp.concatenate(x, axis=1) for x in zip(*found, strict=True)))


def _find_in_level(
  level: dict[str, Any], threshold: float, most: int, shortest: float
) -> Candidates:
  logits, points = level["logits"], level["points"]
  batch, length, classes = logits.shape
  scores = jnp.where(level["mask"][..., None], jax.nn.sigmoid(logits), 0)
  scores, place = jax.lax.top_k(
    scores.reshape(batch, length * classes), min(most, length * classes)
  )
  point, label = jnp.divmod(place, classes)
  offsets = jnp.take_along_axis(level["offsets"], point[..., None], axis=1)
  position, stride = points[point][..., 0], points[point][..., 3]
  start = position - offsets[..., 0] * stride
  end = position + offsets[..., 1] * stride
  kept = (scores > threshold) & (end - start > shortest)
  segments = jnp.stack([start, end], axis=-1)
  return Candidates(segments, jnp.where(kept, scores, 0), label)


def position_seconds(
  segments: np.ndarray, *, stride: float, window: float, fps: float, duration: float
) -> np.ndarray:
  """Returns segments in seconds, inside of the film.

  Args:
    segments: Start and end in positions of the features, (..., 2).
    stride: Frames from position to position.
    window: Frames that the features of a position are made of; the position is
      the middle of them.
    fps: Frames per second.
    duration: Length of the film in seconds.

  Source: method `postprocessing`, likewise.
  """
  seconds = (np.asarray(segments, np.float64) * stride + 0.5 * window) / fps
  return np.clip(seconds, 0, duration)


def second_positions(
  segments: np.ndarray, *, stride: float, window: float, fps: float
) -> np.ndarray:
  """Returns segments in seconds as positions of the features, (..., 2).

  The inverse of `position_seconds`, whose arguments it takes.

  Source: class `THUMOS14Dataset` in libs/datasets/thumos14.py, likewise.
  """
  return (np.asarray(segments, np.float64) * fps - 0.5 * window) / stride
