"""Clips from the whole video: parts whose borders are rounded to frames."""

import dataclasses

import numpy as np

from temporal_jax.data.sampling.base import Lengths, Sampling
from temporal_jax.validation import check_choice

CLIPS = ("spread", "inside", "borders")


@dataclasses.dataclass(frozen=True)
class RoundedSegments(Sampling):
  """A frame of each of T parts from round(s i) to round(s (i + 1)), inclusive.

  s = (L - 1) / T, so that the last frame belongs to the last part, and a frame
  on a border to both its parts. A video shorter than the clip repeats frames.

  Attributes:
    clips: Clips of a test. "spread" (ATM): frames L / T apart, the first clip
      from frame 0, the last one from a part's last frame. "inside" (ILA): one
      clip takes the middles of the parts; of several, each takes the middle of
      its share of parts of L // T frames. (The code draws a random frame there:
      `RandomClips`.) "borders" (X-ViT): up to three clips, the middles, the
      first frames and the last ones of the parts.

  Source: dataset/kinetics.py of whwu95/ATM; datasets/pipeline.py of
    Francis-Rings/ILA; slowfast/datasets/ssv2.py of 1adrianb/video-transformers.
  """

  clips: str = "spread"

  def __post_init__(self) -> None:
    check_choice("clips", self.clips, CLIPS)

  def check(self, num_frames: int, num_clips: int) -> None:
    """See `Sampling.check`: the borders give up to three clips."""
    if self.clips == "borders" and num_clips > 3:
      raise ValueError(
        f"rounded_segments('borders') has up to 3 clips, got {num_clips}."
      )

  def random(self, lengths: Lengths, rng: np.random.Generator) -> np.ndarray:
    """See `Sampling.random`: any frame of each part."""
    first, last = _borders(lengths)
    return rng.integers(first, last, endpoint=True)

  def fixed(self, lengths: Lengths, clip: int, num_clips: int) -> np.ndarray:
    """See `Sampling.fixed`."""
    if self.clips == "spread":
      return _spread(lengths, clip, num_clips)
    first, last = _borders(lengths)
    if self.clips == "borders":
      return ((first + last) // 2, first, last)[clip]
    if num_clips == 1:
      return (first + last) // 2
    length = lengths.total // lengths.clip
    return _loop(lengths, (2 * clip + 1) * length // (2 * num_clips))


@dataclasses.dataclass(frozen=True)
class RandomClips(Sampling):
  """As `RoundedSegments`, but several clips of a test are random.

  They take a frame of each part of L // T frames, seeded by their number: the
  same ones every time.

  Source: datasets/pipeline.py and main.py of Francis-Rings/ILA, unseeded.
  """

  def random(self, lengths: Lengths, rng: np.random.Generator) -> np.ndarray:
    """See `Sampling.random`."""
    return RoundedSegments().random(lengths, rng)

  def fixed(self, lengths: Lengths, clip: int, num_clips: int) -> np.ndarray:
    """See `Sampling.fixed`."""
    if num_clips == 1:
      return RoundedSegments("inside").fixed(lengths, 0, 1)
    rng = np.random.default_rng(clip)
    length = max(lengths.total // lengths.clip, 1)
    return _loop(lengths, rng.integers(length, size=lengths.clip))


def _borders(lengths: Lengths) -> tuple[np.ndarray, np.ndarray]:
  """Returns the first and the last frames (T,) of the parts."""
  length = (lengths.total - 1) / lengths.clip
  edges = np.round(length * np.arange(lengths.clip + 1)).astype(np.int64)
  return edges[:-1], edges[1:]


def _spread(lengths: Lengths, clip: int, num_clips: int) -> np.ndarray:
  length = lengths.total / lengths.clip
  start = int(np.linspace(0, length - 1, num_clips, dtype=np.int64)[clip])
  places = np.trunc(start + length * np.arange(lengths.clip))
  # A video shorter than the clip has starts of -1, its last frame.
  return places.astype(np.int64) % lengths.total


def _loop(lengths: Lengths, place: int | np.ndarray) -> np.ndarray:
  """Returns the frames at a place of parts of L // T frames.

  Of a shorter video, T frames as far apart as they can be; places past the
  end begin anew.
  """
  total, count = lengths.total, lengths.clip
  if total < count:
    spread = np.around(np.arange(count) * (total / count))
    return spread.astype(np.int64) % total
  return np.arange(count) * (total // count) + place
