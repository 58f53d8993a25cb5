"""Clips from the whole video: a frame of each of T parts that fill it."""

import dataclasses

import numpy as np

from temporal_jax.data.sampling.base import Lengths, Sampling, inside
from temporal_jax.validation import check_choice


@dataclasses.dataclass(frozen=True)
class Segments(Sampling):
  """A frame of each of T equal parts, whose borders may split a frame.

  Clip k of K takes the place (k + 1) / (K + 1) of each part: its middle if
  there is one clip. A video shorter than the clip repeats frames.

  Source: Wang et al. 2016, https://arxiv.org/abs/1608.00859 (TSN).
  """

  def random(self, lengths: Lengths, rng: np.random.Generator) -> np.ndarray:
    """See `Sampling.random`: any place of each part."""
    return self._take(lengths, rng.random(lengths.clip))

  def fixed(self, lengths: Lengths, clip: int, num_clips: int) -> np.ndarray:
    """See `Sampling.fixed`."""
    return self._take(lengths, (clip + 1) / (num_clips + 1))

  def _take(self, lengths: Lengths, place: float | np.ndarray) -> np.ndarray:
    edges = np.linspace(0, lengths.total, lengths.clip + 1)
    return inside(edges[:-1] + place * np.diff(edges), lengths.total)


@dataclasses.dataclass(frozen=True)
class NearestSegments(Sampling):
  """As `Segments`, but the nearest frame and other clips.

  One clip takes the middle of each part; clip k of K, its place (k + 1) / K, so
  that the last clip takes the borders.

  Source: `_segment_based_sampling` in datasets/base/base_dataset.py of
    alibaba-mmai-research/TAdaConv.
  """

  def random(self, lengths: Lengths, rng: np.random.Generator) -> np.ndarray:
    """See `Sampling.random`: any place of each part."""
    return self._take(lengths, rng.random(lengths.clip))

  def fixed(self, lengths: Lengths, clip: int, num_clips: int) -> np.ndarray:
    """See `Sampling.fixed`."""
    place = 0.5 if num_clips == 1 else (clip + 1) / num_clips
    return self._take(lengths, place)

  def _take(self, lengths: Lengths, place: float | np.ndarray) -> np.ndarray:
    edges = np.linspace(0, lengths.total, lengths.clip + 1)
    taken = edges[:-1] + place * np.diff(edges)
    last = lengths.total - 1
    return inside(np.round(np.minimum(taken, last)), lengths.total)


@dataclasses.dataclass(frozen=True)
class WholeSegments(Sampling):
  """A frame of each of T parts of whole frames: part i starts at i L // T.

  A random clip of a video of at most T frames has all its frames, some of them
  again. In tests the parts are (L - 1) / T long, and clip k of K takes their
  frame at (k + 1) / (K + 1).

  Source: dataset/sthvideo.py and charades.py of whwu95/ATM.
  """

  def random(self, lengths: Lengths, rng: np.random.Generator) -> np.ndarray:
    """See `Sampling.random`: any frame of each part."""
    total, num_frames = lengths.total, lengths.clip
    if total <= num_frames:
      again = rng.integers(total, size=num_frames - total)
      return np.sort(np.concatenate([np.arange(total), again]))
    edges = np.arange(num_frames + 1) * total // num_frames
    return rng.integers(edges[:-1], edges[1:])

  def fixed(self, lengths: Lengths, clip: int, num_clips: int) -> np.ndarray:
    """See `Sampling.fixed`."""
    total, num_frames = lengths.total, lengths.clip
    length = (total - 1) / num_frames
    starts = np.round(length * np.arange(num_frames))
    return inside(starts + int(length / (num_clips + 1) * (clip + 1)), total)


@dataclasses.dataclass(frozen=True)
class EqualSegments(Sampling):
  """A frame of each of T parts of L // T frames; the video's rest is left out.

  A video of fewer than T frames gives random ones, in order. In tests the parts
  are L / T long; one clip takes their middles and K clips are whole frames
  apart, for K = 3 one before and one after it, but at most half a part. A video
  of up to T frames gives random ones there, the same every time.

  Attributes:
    shared: Whether the same place is drawn for all parts, as the code does; the
      paper has a random frame of each.

  Source: core/video_dataset.py of IBM/bLVNet-TAM.
  """

  shared: bool = False

  def __post_init__(self) -> None:
    check_choice("shared", self.shared, (True, False))

  def random(self, lengths: Lengths, rng: np.random.Generator) -> np.ndarray:
    """See `Sampling.random`: any frame of each part."""
    total, num_frames = lengths.total, lengths.clip
    length = total // num_frames
    if not length:
      return np.sort(rng.integers(total, size=num_frames))
    place = rng.integers(length, size=1 if self.shared else num_frames)
    return np.arange(num_frames) * length + place

  def fixed(self, lengths: Lengths, clip: int, num_clips: int) -> np.ndarray:
    """See `Sampling.fixed`."""
    total, num_frames = lengths.total, lengths.clip
    if total <= num_frames:
      seeded = np.random.RandomState(clip)
      return np.sort(seeded.choice(total, num_frames))
    length = total / num_frames
    shift = clip - (num_clips - 1) // 2
    shift = max(min(shift, length / 2 - 1e-4), -length / 2)
    return inside(length / 2 + shift + length * np.arange(num_frames), total)
