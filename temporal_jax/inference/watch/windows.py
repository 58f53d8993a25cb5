"""Windows that slide over a long video, and class probabilities of each."""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from temporal_jax.data import VideoError, VideoReader
from temporal_jax.data.sampling import sample_indices
from temporal_jax.data.views.eval_protocol import EvalProtocol
from temporal_jax.data.views.read_views import crop_places
from temporal_jax.evaluation.finite_scores import check_finite
from temporal_jax.inference.runtime.classifier import Classifier
from temporal_jax.validation import check_number, check_whole

_SLACK = 1.5e-3  # Seconds; some formats round all times to thousandths.


class WindowClip(NamedTuple):
  """The clip of a window.

  Attributes:
    start: Time of the window's first frame, in seconds after the video's first.
    stop: Time at which its last frame ends, likewise.
    frames: (T, S, S, 3) uint8.
  """

  start: float
  stop: float
  frames: np.ndarray


class Window(NamedTuple):
  """Probabilities of the classes in a window.

  Attributes:
    start: Time of the window's first frame, in seconds after the video's first.
    stop: Time at which its last frame ends, likewise.
    probabilities: (L,) float32.
  """

  start: float
  stop: float
  probabilities: np.ndarray

  def top(self, class_names: Sequence[str], count: int = 1) -> list[tuple[str, float]]:
    """Returns the most probable classes and their probabilities.

    Args:
      class_names: Names of the L classes.
      count: Number of classes.
    """
    best = np.argsort(-self.probabilities, kind="stable")[:count]
    return [(class_names[i], float(self.probabilities[i])) for i in best]


class SlidingWindows:
  """Clips of windows that slide over a video.

  The video is decoded once, in order; only frames of clips become pictures, and
  only one window's are kept. Windows are made of all its frames or, with
  `rate`, of the frame that is on the screen at each multiple of 1 / rate
  seconds. Where frames are left after the last window, one more ends with the
  last frame: it overlaps the one before it by more than the others do. A video
  shorter than a window gives one window, its last frame repeated.

  `len()` is the number of windows; a window's clip is the T frames in the
  middle of T equal parts of it, resized by the protocol, and their middle crop.

  Attributes:
    clip_shape: (T, S, S, 3) of a clip.
    duration: Seconds from the first frame's coming to the last one's going,
      which stays as long as the one before it; 0 of a single frame.
  """

  def __init__(
    self,
    reader: VideoReader,
    protocol: EvalProtocol,
    *,
    window: int,
    stride: int,
    rate: float | None = None,
  ):
    """Lays the windows out; no frame is decoded yet.

    Args:
      reader: Reader of the video.
      protocol: Test protocol of the network: its T frames, and the size of
        frames and crops.
      window: Frames from the first to the last of a window, at least T.
      stride: Frames from one window's first to the next one's.
      rate: Frames per second that windows are made of; None for those that the
        video has.

    Raises:
      ValueError: If a number is out of its range.
    """
    check_whole("window", window, 1)
    check_whole("stride", stride, 1)
    if window < protocol.num_frames:
      raise ValueError(
        f"a window of {window} frames is shorter than the clips of the "
        f"network, {protocol.num_frames} frames."
      )
    if rate is not None:
      check_number("rate", rate, 1e-3, 1e3)
    side = protocol.crop_size
    self.clip_shape = (protocol.num_frames, side, side, 3)
    self._reader, self._protocol, self._window = reader, protocol, window
    times = np.asarray(reader.times)
    self.duration = float(times[-1] + np.diff(times)[-1:].sum())
    self._frames, self._seconds = _sample(times, self.duration, rate)
    count = len(self._frames)
    self._starts = [*range(0, max(count - window, 0) + 1, stride)]
    left = count - (self._starts[-1] + window)
    if left > 0 and self._starts[-1] + stride < count:
      self._starts.append(count - window)

  def __len__(self) -> int:
    return len(self._starts)

  def __iter__(self) -> Iterator[WindowClip]:
    """Yields the clips.

    Raises:
      VideoError: If a frame cannot be decoded.
      ValueError: If frames are smaller than the crop.
    """
    offsets = sample_indices(self._window, self.clip_shape[0], sampling="segments")
    last = len(self._frames) - 1
    # (M, T) places in `_frames`; a short video's last frame is repeated.
    numbers = np.minimum(np.array(self._starts)[:, None] + offsets, last)
    wanted = np.unique(numbers)
    pictures = self._reader.stream(
      self._frames[wanted],
      short_side=self._protocol.short_side,
      stretch=self._protocol.stretch,
    )
    coming = zip(wanted.tolist(), map(self._crop, pictures), strict=True)
    held: dict[int, np.ndarray] = {}
    for start, of_clip in zip(self._starts, numbers.tolist(), strict=True):
      held = {number: held[number] for number in held if number >= start}
      while of_clip[-1] not in held:
        number, picture = next(coming)
        held[number] = picture
      stop = min(start + self._window, len(self._frames))
      seconds = self._seconds[[start, stop]].tolist()
      yield WindowClip(*seconds, np.stack([held[n] for n in of_clip]))

  def _crop(self, frame: np.ndarray) -> np.ndarray:
    """Returns the middle of a frame, and does not hold on to the frame."""
    side = self._protocol.crop_size
    (place,) = crop_places(*frame.shape[:2], side, 1, self._protocol.crop_rule)
    rows = slice(place.top, place.top + side)
    columns = slice(place.left, place.left + side)
    return frame[rows, columns].copy()


def score_windows(
  classifier: Classifier,
  clips: Iterable[WindowClip],
  *,
  task: str | None = None,
) -> Iterator[Window]:
  """Yields the probabilities of windows, in order.

  Args:
    classifier: The network.
    clips: Clips of the windows, such as `SlidingWindows`.
    task: Name of the task, if the network has several.

  Raises:
    VideoError: If the clips do; all windows before have come by then.
    ValueError: If scores are NaN or infinite, naming the windows.
  """
  for batch in _batches(clips, classifier.batch_size):
    scores = classifier(np.stack([clip.frames for clip in batch]))
    scores = scores if task is None else scores[task]
    check_finite(scores, [f"{clip.start:.2f} to {clip.stop:.2f} s" for clip in batch])
    for clip, probabilities in zip(batch, scores, strict=True):
      yield Window(clip.start, clip.stop, probabilities)


def _sample(
  times: np.ndarray, duration: float, rate: float | None
) -> tuple[np.ndarray, np.ndarray]:
  """Returns the frames that windows are made of, with their times.

  Returns:
    Indices (M,), ascending, and seconds (M + 1,): each frame goes as the next
    one comes.
  """
  if rate is None:
    return np.arange(len(times)), np.append(times, duration)
  count = max(1, math.ceil((duration - _SLACK) * rate))
  ticks = np.arange(count) / rate
  frames = np.searchsorted(times, ticks + _SLACK, side="right") - 1
  return frames, np.append(ticks, duration)


def _batches(clips: Iterable[WindowClip], size: int) -> Iterator[list[WindowClip]]:
  """Yields `size` clips at a time, and the rest before an error."""
  batch, failure = [], None
  try:
    for clip in clips:
      batch.append(clip)
      if len(batch) == size:
        yield batch
        batch = []
  except VideoError as error:
    failure = error
  if batch:
    yield batch
  if failure:
    raise failure
