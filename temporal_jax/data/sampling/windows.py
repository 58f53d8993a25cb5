"""Clips from a part of the video: frames at a fixed distance."""

import dataclasses

import numpy as np

from temporal_jax.data.sampling.base import SHORT, Lengths, Sampling, inside
from temporal_jax.validation import check_choice, check_number, check_whole

# Most frames, and frames per second: more than videos have, so that no index
# overflows.
LIMIT = 1e6


@dataclasses.dataclass(frozen=True)
class Dense(Sampling):
  """Frames `stride` apart.

  Tests spread the starts of K clips so that there is as much before the first
  as after the last; a single clip is in the middle.

  Attributes:
    stride: Distance of frames; 0 takes the config's stride.
    short: Frames in place of those past the end of a shorter video, see
      `inside`.
  """

  stride: int = 0
  short: str = "last"

  def __post_init__(self) -> None:
    check_whole("stride", self.stride, 0)
    check_number("stride", self.stride, 0, LIMIT)
    check_choice("short", self.short, SHORT)

  def random(self, lengths: Lengths, rng: np.random.Generator) -> np.ndarray:
    """See `Sampling.random`: any start that fits."""
    return self._take(lengths, rng.integers(self._room(lengths) + 1))

  def fixed(self, lengths: Lengths, clip: int, num_clips: int) -> np.ndarray:
    """See `Sampling.fixed`."""
    start = self._room(lengths) * (clip + 1) // (num_clips + 1)
    return self._take(lengths, start)

  def _room(self, lengths: Lengths) -> int:
    """Returns the last start."""
    return max(lengths.total - ((lengths.clip - 1) * self.stride + 1), 0)

  def _take(self, lengths: Lengths, start: int) -> np.ndarray:
    indices = start + self.stride * np.arange(lengths.clip)
    return inside(indices, lengths.total, self.short)


@dataclasses.dataclass(frozen=True)
class FixedStride(Sampling):
  """Frames L // T apart, from a random start: ILA's "fixed intervals".

  The paper gives no formula; the starts that fit are drawn alike. In tests they
  are spread as in `Dense`.

  Attributes:
    short: Frames in place of those past the end of a video of fewer than T
      frames, see `inside`.
  """

  short: str = "last"

  def __post_init__(self) -> None:
    check_choice("short", self.short, SHORT)

  def random(self, lengths: Lengths, rng: np.random.Generator) -> np.ndarray:
    """See `Sampling.random`: any start that fits."""
    return self._widest(lengths).random(lengths, rng)

  def fixed(self, lengths: Lengths, clip: int, num_clips: int) -> np.ndarray:
    """See `Sampling.fixed`."""
    return self._widest(lengths).fixed(lengths, clip, num_clips)

  def _widest(self, lengths: Lengths) -> Dense:
    return Dense(max(lengths.total // lengths.clip, 1), self.short)


@dataclasses.dataclass(frozen=True)
class Interval(Sampling):
  """T frames over the time of T x `rate` frames of a video of `fps`.

  From a start s they are spaced evenly from s to s + span - 1, span = T rate
  times the video's frames per second / `fps`, and are rounded down. Clip k of K
  starts at (L - span) k / K, so that none reaches the end.

  Attributes:
    rate: Frames from one to the next at `fps`, about.
    fps: Frames per second that `rate` counts; 0 counts the video's own frames,
      whatever their time.
    single: Place of a test's only clip: "middle" (TAda) or "start" (X-ViT).
    short: Frames in place of those past the end of a shorter video, see
      `inside`.

  Source: `_interval_based_sampling` in datasets/base/base_dataset.py of
    alibaba-mmai-research/TAdaConv; slowfast/datasets/decoder.py of
    1adrianb/video-transformers.
  """

  rate: float
  fps: float = 30.0
  single: str = "middle"
  short: str = "last"

  def __post_init__(self) -> None:
    check_number("rate", self.rate, 1, LIMIT)
    check_number("fps", self.fps, 0, LIMIT)
    check_choice("single", self.single, ("middle", "start"))
    check_choice("short", self.short, SHORT)

  def random(self, lengths: Lengths, rng: np.random.Generator) -> np.ndarray:
    """See `Sampling.random`: any start that fits."""
    return self._take(lengths, self._room(lengths) * rng.random())

  def fixed(self, lengths: Lengths, clip: int, num_clips: int) -> np.ndarray:
    """See `Sampling.fixed`."""
    room = self._room(lengths)
    if num_clips == 1 and self.single == "middle":
      return self._take(lengths, room / 2)
    return self._take(lengths, room * clip / num_clips)

  def _room(self, lengths: Lengths) -> float:
    """Returns the last start."""
    return max(lengths.total - self._span(lengths), 0.0)

  def _span(self, lengths: Lengths) -> float:
    """Returns the length of a clip in frames of the video.

    Raises:
      ValueError: If the video's frames per second are needed and unknown.
    """
    span = lengths.clip * self.rate
    if self.fps:
      span *= lengths.known_fps(
        f"an interval at fps={self.fps}", "fps=0 counts its frames"
      )
      span /= self.fps
    return max(span, 1.0)

  def _take(self, lengths: Lengths, start: float) -> np.ndarray:
    end = start + self._span(lengths) - 1
    frames = np.linspace(start, end, lengths.clip)
    return inside(frames, lengths.total, self.short)
