"""Clips as mmaction2, TSM, PySlowFast and PyTorchVideo take them.

Each rule gives the indices of that library, also where it rounds in its own
way, for models that were trained or tested with it.
"""

import dataclasses
import fractions
import math

import numpy as np

from temporal_jax.data.sampling.base import SHORT, Lengths, Sampling, inside
from temporal_jax.data.sampling.segments import EqualSegments
from temporal_jax.data.sampling.windows import LIMIT
from temporal_jax.validation import check_choice, check_number, check_whole


@dataclasses.dataclass(frozen=True)
class Mmaction2Clips(Sampling):
  """Frames `interval` apart: mmaction2's `SampleFrames` with clip_len T.

  A random clip of T frames of a video of L starts at one of its first
  L - T x interval + 1 frames, which leaves out the last interval - 1 starts
  that fit.

  Attributes:
    interval: Frames from one to the next (frame_interval).
    fps: Frames per second that `interval` counts (target_fps); starts are then
      rounded down to whole steps. 0 counts the video's own frames.
    starts: Starts of the K clips of a test. "spread" (release 1.0 and later):
      from the first to the last start, rounded; a single clip is in the middle;
      clips of one frame are the middles of K equal parts. "middles" (releases
      0.x, which have no fps): in the middles of K equal parts of the starts of
      random clips.
    jitter: Whether each frame of a random clip is up to interval - 1 frames
      later (temporal_jitter).
    short: Frames in place of those past the end (out_of_bound_opt), see
      `inside`.

  Source: mmaction/datasets/transforms/loading.py of open-mmlab/mmaction2 1.2,
    mmaction/datasets/pipelines/loading.py of 0.24.
  """

  interval: int = 1
  fps: float = 0.0
  starts: str = "spread"
  jitter: bool = False
  short: str = "loop"

  def __post_init__(self) -> None:
    check_whole("interval", self.interval, 1)
    check_number("interval", self.interval, 1, LIMIT)
    check_choice("starts", self.starts, ("spread", "middles"))
    check_number("fps", self.fps, 0, LIMIT)
    if self.fps and self.starts == "middles":
      raise ValueError(f"fps={self.fps} needs starts='spread', got starts='middles'.")
    check_choice("jitter", self.jitter, (True, False))
    check_choice("short", self.short, SHORT)

  def random(self, lengths: Lengths, rng: np.random.Generator) -> np.ndarray:
    """See `Sampling.random`: any start, see above."""
    span = self._span(lengths, lengths.clip * self.interval)
    starts = max(math.floor(lengths.total - span + 1), 1)
    places = rng.integers(starts) + self._steps(lengths, span)
    if self.jitter:
      places += rng.integers(self.interval, size=lengths.clip)
    return inside(places, lengths.total, self.short)

  def fixed(self, lengths: Lengths, clip: int, num_clips: int) -> np.ndarray:
    """See `Sampling.fixed`."""
    span = self._span(lengths, (lengths.clip - 1) * self.interval + 1)
    room = max(lengths.total - span, 0)
    if self.starts == "middles":
      drawn = max(lengths.total - lengths.clip * self.interval + 1, 0)
      start = _middle(drawn, clip, num_clips)
    elif lengths.clip == 1:
      start = _middle(lengths.total, clip, num_clips)
    elif num_clips == 1:
      start = int(room // 2)
    elif self.fps:
      start = clip * math.floor(room / (num_clips - 1))
    else:
      start = round(clip * (room / (num_clips - 1)))
    return inside(start + self._steps(lengths, span), lengths.total, self.short)

  def _span(self, lengths: Lengths, frames: int) -> float:
    """Returns the length of a clip: `frames` unless seconds count.

    Raises:
      ValueError: If the video's frames per second are needed and unknown.
    """
    if not self.fps:
      return frames
    fps = lengths.known_fps(
      f"mmaction2_clips at fps={self.fps}", "fps=0 counts its frames"
    )
    return max(1.0, lengths.clip * self.interval * (fps / self.fps))

  def _steps(self, lengths: Lengths, span: float) -> np.ndarray:
    """Returns the distance of a clip's frames (T,) from its start."""
    if not self.fps:
      return np.arange(lengths.clip) * self.interval
    return np.linspace(0, span - 1, lengths.clip).astype(np.int64)


@dataclasses.dataclass(frozen=True)
class TsmSegments(Sampling):
  """A frame of each of T parts: TSM's default, and its `twice_sample`.

  Random clips have parts of L // T frames. In tests the parts are L / T long:
  the first clip takes their middles, the second their starts, so that two clips
  are twice_sample. A random clip of fewer than T frames is the first frame.

  Source: ops/dataset.py of mit-han-lab/temporal-shift-module.
  """

  def check(self, num_frames: int, num_clips: int) -> None:
    """See `Sampling.check`: there are the middles and the starts."""
    if num_clips > 2:
      raise ValueError(
        "tsm_segments and mmaction2_segments have 1 clip, or 2 for "
        f"twice_sample; got {num_clips}."
      )

  def random(self, lengths: Lengths, rng: np.random.Generator) -> np.ndarray:
    """See `Sampling.random`: any frame of each part."""
    if lengths.total < lengths.clip:
      return self._repeat(lengths)
    return EqualSegments().random(lengths, rng)

  def fixed(self, lengths: Lengths, clip: int, num_clips: int) -> np.ndarray:
    """See `Sampling.fixed`."""
    length = lengths.total / lengths.clip
    start = 0.0 if clip else length / 2
    return inside(start + length * np.arange(lengths.clip), lengths.total)

  def _repeat(self, lengths: Lengths) -> np.ndarray:
    """Returns the random clip (T,) of a video of fewer than T frames."""
    return np.zeros(lengths.clip, np.int64)


@dataclasses.dataclass(frozen=True)
class Mmaction2Segments(TsmSegments):
  """As `TsmSegments`, but short videos are spread over the random clip.

  mmaction2's `SampleFrames` with clip_len 1 and num_clips T. Frame i of a
  video of fewer than T frames is round(i L / T); L is the first frame again.

  Source: mmaction/datasets/transforms/loading.py of open-mmlab/mmaction2 1.2.
  """

  def _repeat(self, lengths: Lengths) -> np.ndarray:
    spread = np.arange(lengths.clip) * (lengths.total / lengths.clip)
    return inside(np.around(spread), lengths.total, "loop")


@dataclasses.dataclass(frozen=True)
class TsmClips(Sampling):
  """Frames span // T apart: TSM's `dense_sample`.

  Random clips start before the last start of `span` frames that fit. In tests
  the starts of K clips are spread from the first to the last and rounded down;
  the only clip starts at the first. The authors test ten clips.

  Attributes:
    span: Frames that a clip covers (sample_range of mmaction2's
      `DenseSampleFrames`, which is the same).
    short: Frames in place of those past the end, see `inside`.

  Source: ops/dataset.py of mit-han-lab/temporal-shift-module.
  """

  span: int = 64
  short: str = "loop"

  def __post_init__(self) -> None:
    check_whole("span", self.span, 1)
    check_number("span", self.span, 1, LIMIT)
    check_choice("short", self.short, SHORT)

  def check(self, num_frames: int, num_clips: int) -> None:
    """See `Sampling.check`: the clip's frames must fit the span."""
    if num_frames > self.span:
      raise ValueError(
        f"tsm_clips: span must be at least the clip's {num_frames} frames, got "
        f"{self.span}."
      )

  def random(self, lengths: Lengths, rng: np.random.Generator) -> np.ndarray:
    """See `Sampling.random`: any start but the last."""
    return self._take(lengths, rng.integers(max(self._room(lengths), 1)))

  def fixed(self, lengths: Lengths, clip: int, num_clips: int) -> np.ndarray:
    """See `Sampling.fixed`."""
    starts = np.linspace(0, self._room(lengths), num_clips, dtype=np.int64)
    return self._take(lengths, starts[clip])

  def _room(self, lengths: Lengths) -> int:
    """Returns the last start."""
    return max(lengths.total - self.span, 0)

  def _take(self, lengths: Lengths, start: int) -> np.ndarray:
    step = self.span // lengths.clip
    places = start + step * np.arange(lengths.clip)
    return inside(places, lengths.total, self.short)


@dataclasses.dataclass(frozen=True)
class SlowFastClips(Sampling):
  """T frames over the time of T x `rate` frames of a video of `fps`.

  PySlowFast's sampling of Kinetics, of a video that is decoded as a whole. It
  is `Interval` in float32, with the starts of the library.

  Attributes:
    rate: Frames from one to the next at `fps` (DATA.SAMPLING_RATE).
    fps: Frames per second that `rate` counts (DATA.TARGET_FPS); 0 counts the
      video's own frames.
    fps_jitter: Greatest number that is added to the `fps` of a random clip
      (DATA.TRAIN_JITTER_FPS).
    offset: Whether the starts of the K clips of a test are whole steps apart.
      False: at (L - span) k / K, the only one at the first frame. True
      (DATA.USE_OFFSET_SAMPLING): whole steps of (L - span) / (K - 1) apart, the
      only one in the middle.
    short: Frames in place of those past the end, see `inside`.

  Source: slowfast/datasets/decoder.py and kinetics.py of
    facebookresearch/SlowFast.
  """

  rate: float
  fps: float = 30.0
  fps_jitter: float = 0.0
  offset: bool = False
  short: str = "last"

  def __post_init__(self) -> None:
    check_number("rate", self.rate, 1, LIMIT)
    check_number("fps", self.fps, 0, LIMIT)
    check_number("fps_jitter", self.fps_jitter, 0, LIMIT)
    if self.fps_jitter and not self.fps:
      raise ValueError(
        f"fps_jitter={self.fps_jitter} needs an fps above 0, got {self.fps}."
      )
    check_choice("offset", self.offset, (True, False))
    check_choice("short", self.short, SHORT)

  def random(self, lengths: Lengths, rng: np.random.Generator) -> np.ndarray:
    """See `Sampling.random`: any start that fits."""
    fps = self.fps
    if self.fps_jitter:
      fps += self.fps_jitter * rng.random()
    span = self._span(lengths, fps)
    room = max(lengths.total - span, 0)
    return self._take(lengths, room * rng.random(), span)

  def fixed(self, lengths: Lengths, clip: int, num_clips: int) -> np.ndarray:
    """See `Sampling.fixed`."""
    span = self._span(lengths, self.fps)
    room = max(lengths.total - span, 0)
    if not self.offset:
      start = room * clip / num_clips
    elif num_clips == 1:
      start = math.floor(room / 2)
    else:
      start = clip * math.floor(room / (num_clips - 1))
    return self._take(lengths, start, span)

  def _span(self, lengths: Lengths, fps: float) -> float:
    """Returns the length of a clip in frames of the video.

    Raises:
      ValueError: If the video's frames per second are needed and unknown.
    """
    frames = self.rate * lengths.clip
    if not fps:
      return max(1.0, frames)
    known = lengths.known_fps(
      f"slowfast_clips at fps={self.fps}", "fps=0 counts its frames"
    )
    return max(1.0, frames / fps * known)

  def _take(self, lengths: Lengths, start: float, span: float) -> np.ndarray:
    places = _linspace(start, start + span - 1, lengths.clip)
    return inside(places, lengths.total, self.short)


@dataclasses.dataclass(frozen=True)
class UniformTemporalSubsample(Sampling):
  """T frames from the first to the last of a clip of some seconds.

  PyTorchVideo's transform of that name, after its `RandomClipSampler` in
  training and its `ConstantClipsPerVideoSampler` in tests. The only clip of a
  test starts with the video. A clip in which no frame begins takes the next
  one.

  Attributes:
    clip_duration: Seconds of the clip; 0 takes the whole video.
    to_end: Whether the last clip of a test ends with the video. True: clip k of
      K starts at k / (K - 1) of the last start. False: at k / K of it, as in
      the library's releases up to 0.1.5.

  Source: pytorchvideo/transforms/functional.py, data/clip_sampling.py and
    data/encoded_video_decord.py of facebookresearch/pytorchvideo.
  """

  clip_duration: float = 0.0
  to_end: bool = True

  def __post_init__(self) -> None:
    check_number("clip_duration", self.clip_duration, 0, LIMIT)
    check_choice("to_end", self.to_end, (True, False))

  def check(self, num_frames: int, num_clips: int) -> None:
    """See `Sampling.check`: a whole video is one clip."""
    if num_clips > 1 and not self.clip_duration:
      raise ValueError(
        f"uniform_temporal_subsample: {num_clips} clips of a video need a "
        "clip_duration in seconds; without one the clip is the whole video."
      )

  def random(self, lengths: Lengths, rng: np.random.Generator) -> np.ndarray:
    """See `Sampling.random`: any start that fits."""
    return self._take(lengths, fractions.Fraction(rng.random()))

  def fixed(self, lengths: Lengths, clip: int, num_clips: int) -> np.ndarray:
    """See `Sampling.fixed`."""
    steps = max(num_clips - 1, 1) if self.to_end else num_clips
    return self._take(lengths, fractions.Fraction(clip, steps))

  def _take(self, lengths: Lengths, share: fractions.Fraction) -> np.ndarray:
    """Returns the clip that starts at this share of the last start."""
    first, count = 0, lengths.total
    if self.clip_duration:
      first, count = self._frames(lengths, share)
    return first + inside(_linspace(0, count - 1, lengths.clip), count)

  def _frames(self, lengths: Lengths, share: fractions.Fraction) -> tuple[int, int]:
    """Returns the first frame of a clip, and how many it has.

    Raises:
      ValueError: If the video's frames per second are unknown.
    """
    fps = lengths.known_fps(
      "uniform_temporal_subsample with a clip_duration",
      "clip_duration=0 takes the whole video",
    )
    # Times are fractions, as in the library: a rounded one could leave out a
    # frame that begins with the clip.
    last = max(lengths.total / fps - self.clip_duration, 0.0)
    start = fractions.Fraction(last) * share
    stop = start + fractions.Fraction(self.clip_duration)
    first = min(math.ceil(fps * float(start)), lengths.total - 1)
    end = min(math.ceil(fps * float(stop)), lengths.total)
    return first, max(end - first, 1)


def _middle(total: float, part: int, num_parts: int) -> int:
  """Returns the middle of one of the equal parts of `total`, rounded down."""
  length = total / num_parts
  return int(part * length + length / 2)


def _linspace(start: float, stop: float, count: int) -> np.ndarray:
  """Returns `count` numbers from `start` to `stop`, as torch.linspace does.

  It works in float32, from both ends to the middle, and rounds each number once
  (fused multiply-add). With NumPy's float64 numbers, one clip in a hundred has
  another frame after rounding down.
  """
  first, last = np.float32(start), np.float32(stop)
  if count == 1:
    return np.array([first])
  step = np.float64((last - first) / np.float32(count - 1))
  steps = np.arange(count)
  rising = (first + step * steps).astype(np.float32)
  falling = (last - step * (count - 1 - steps)).astype(np.float32)
  return np.where(steps < count // 2, rising, falling)
