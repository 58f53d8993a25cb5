"""What all sampling rules have in common."""

from typing import NamedTuple, Protocol

import numpy as np


class Lengths(NamedTuple):
  """Of a video, and of the clip that is wanted.

  Attributes:
    total: Frames in the video, L.
    clip: Frames in the clip, T.
    fps: Frames a second of the video; None if that is not known.
  """

  total: int
  clip: int
  fps: float | None = None


class Sampling(Protocol):
  """A rule that says which frames of a video make a clip.

  Its fields are the arguments that a config may give.
  """

  def random(self, lengths: Lengths, rng: np.random.Generator) -> np.ndarray:
    """Returns the indices (T,) of a random clip."""
    ...

  def fixed(self, lengths: Lengths, clip: int, num_clips: int) -> np.ndarray:
    """Returns the indices (T,) of clip k of K, the same ones every time."""
    ...


def inside(indices: np.ndarray, total: int) -> np.ndarray:
  """Returns the indices as integers; past the last frame, that one repeats."""
  return np.clip(indices.astype(np.int64), 0, total - 1)
