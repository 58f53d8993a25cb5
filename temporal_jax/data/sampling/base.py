"""The base class of sampling rules."""

import abc
from typing import NamedTuple

import numpy as np

SHORT = ("last", "repeat_last", "loop")


class Lengths(NamedTuple):
  """Lengths of a video and of the wanted clip.

  Attributes:
    total: Frames in the video, L.
    clip: Frames in the clip, T.
    fps: Frames per second of the video; None if unknown.
  """

  total: int
  clip: int
  fps: float | None = None

  def known_fps(self, rule: str, otherwise: str) -> float:
    """Returns the video's frames per second.

    A video of one frame needs none: that frame is taken at any rate.

    Args:
      rule: Name of the rule that needs the rate, for the message.
      otherwise: Advice for videos without a rate, for the message.

    Raises:
      ValueError: If they are unknown.
    """
    if self.fps:
      return self.fps
    if self.total == 1:
      return 1.0
    raise ValueError(
      f"{rule} needs the video's frames per second, got {self.fps}; {otherwise}."
    )


class Sampling(abc.ABC):
  """A rule that chooses the frames of a clip.

  Its fields are the arguments that a config may give.
  """

  def check(self, num_frames: int, num_clips: int) -> None:  # noqa: B027
    """Raises ValueError if the rule has no such clips.

    Args:
      num_frames: Frames in a clip, T.
      num_clips: Clips of a test, K.
    """

  def choose(
    self,
    lengths: Lengths,
    *,
    rng: np.random.Generator | None = None,
    clip: int = 0,
    num_clips: int = 1,
  ) -> np.ndarray:
    """Chooses the frames of a clip.

    Args:
      lengths: Lengths of the video and of the clip.
      rng: Source of randomness in training; None in evaluation.
      clip: Number of the clip in a test, k in [0, K).
      num_clips: Clips of a test, K; 1 with `rng`.

    Returns:
      Indices (T,) in [0, L), int64. They ascend, except by "shuffled" and
      where a rule starts a short video again: with short="loop", and a test's
      clips of videos of fewer than T frames by "rounded_segments" and
      "random_clips".

    Raises:
      ValueError: If a number is out of its range.
    """
    if lengths.total < 1:
      raise ValueError(f"a video has at least 1 frame, got {lengths.total}.")
    if not 0 <= clip < num_clips:
      raise ValueError(f"clip must be in [0, {num_clips}), got {clip}.")
    if rng is None:
      return self.fixed(lengths, clip, num_clips)
    if num_clips != 1:
      raise ValueError(f"random clips come one by one, got {num_clips} of them.")
    return self.random(lengths, rng)

  @abc.abstractmethod
  def random(self, lengths: Lengths, rng: np.random.Generator) -> np.ndarray:
    """Returns the indices (T,) of a random clip."""

  @abc.abstractmethod
  def fixed(self, lengths: Lengths, clip: int, num_clips: int) -> np.ndarray:
    """Returns the indices (T,) of clip k of K, the same ones every time."""


def inside(indices: np.ndarray, total: int, short: str = "last") -> np.ndarray:
  """Returns indices (T,) of frames that the video has, int64.

  Args:
    indices: Ascending and at least 0; they are rounded down.
    total: Frames in the video, L.
    short: Frames in place of those past the end, one of `SHORT`: "last", the
      video's last frame; "repeat_last", the last of `indices` that the video
      has; "loop", the video from its start again.
  """
  whole = indices.astype(np.int64)
  if short == "loop":
    return whole % total
  last = total - 1
  if short == "repeat_last":
    last = whole[whole < total].max(initial=0)
  return np.minimum(whole, last)
