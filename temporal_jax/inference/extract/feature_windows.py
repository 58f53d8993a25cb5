"""Features of sliding windows of a video."""

from collections.abc import Iterator

import numpy as np

from temporal_jax.data.video.pictures import crop_square
from temporal_jax.data.video.readers import Reader
from temporal_jax.inference.extract.features import (
  POOLED,
  clip_shape,
  create_feature_forward,
  find_feature,
  prepare_feature_variables,
)
from temporal_jax.inference.runtime.clip_batches import ClipBatches
from temporal_jax.inference.runtime.saved_model import (
  PendingModel,
  SavedModel,
  outline_of,
)
from temporal_jax.validation import check_at_least

WINDOW, STRIDE = 16, 8  # Frames.


class FeatureExtractor:
  """Features of the windows of any number of videos, compiled once.

  Window i is the frames from `stride` i on, `window` of them; there are as many
  as fit into the video. Of a shorter video there is one, whose frames beyond
  the end are the last one. A window's clip is the middle frame of each of T
  equal parts of it, cut as the network is tested: the middle of frames resized
  by their short side, or frames stretched.

  Attributes:
    saved: The network.
    name: Name of the features, see `feature_shapes`.
    window: Frames of a window, at least T.
    stride: Frames from one window to the next.
    batch_size: Windows computed at once, B.
    stretch: Whether whole frames are stretched to the network's square.
    short_side: Pixels of the shorter side of frames that are whole and keep
      their proportions; None for squares.
    shape: Shape of a window's features, for frames of the network's square.
  """

  def __init__(
    self,
    model: SavedModel | PendingModel,
    name: str = POOLED,
    *,
    window: int | None = None,
    stride: int = STRIDE,
    batch_size: int = 8,
    stretch: bool = False,
    short_side: int | None = None,
    expected: int | None = None,
  ):
    """Prepares the network; it is compiled with the first windows or before.

    Args:
      model: The network. If its variables are still being read, see
        `begin_loading`, it is compiled meanwhile for the windows that are
        expected.
      name: Name of the features, see `feature_shapes`.
      window: Frames of a window; by default 16, or T if that is more.
      stride: Frames from one window to the next.
      batch_size: Windows computed at once.
      stretch: Whether whole frames are stretched to the network's square,
        whatever it is tested with.
      short_side: Pixels to which the shorter side of whole frames is resized
        instead; the network is compiled for each size of frames that comes.
      expected: Windows that will come, if that is known.

    Raises:
      ValueError: If there are no such features, a number is below 1, a window
        has fewer frames than a clip, the network takes no pictures or only
        squares, or see `PendingModel.wait`.
    """
    saved = outline_of(model)
    self._clip_shape = clip_shape(saved)
    frames = self._clip_shape[0]
    window = max(WINDOW, frames) if window is None else window
    if window < frames:
      raise ValueError(
        f"a window of {window} frames is too short: {saved.name} takes clips "
        f"of {frames}."
      )
    check_at_least("stride", stride, 1)
    sides = self._clip_shape[1:3]
    if short_side is not None:
      _check_whole(saved, short_side, stretch)
      sides = None, None
    feature = find_feature(saved, name)
    forward = create_feature_forward(saved, feature)
    self.name, self.shape = name, feature.shape
    self.window, self.stride = window, stride
    self.stretch, self.short_side = stretch, short_side
    self._forward = ClipBatches(
      model,
      forward,
      lambda saved: prepare_feature_variables(saved, feature),
      batch_size=batch_size,
      clip_shape=(frames, *sides, 3),
      expected=expected,
    )
    self.saved = self._forward.saved
    self.batch_size = self._forward.batch_size

  @property
  def compilations(self) -> int:
    """Number of compilations of the network so far."""
    return self._forward.compilations

  def num_windows(self, num_frames: int) -> int:
    """Returns the windows of a video of so many frames, at least 1."""
    return max(num_frames - self.window, 0) // self.stride + 1

  def times(self, num_frames: int, fps: float) -> np.ndarray:
    """Returns the middle of each window, in seconds.

    That is where localisation tools expect it: (stride i + window / 2) / fps.

    Args:
      num_frames: Number of frames of the video.
      fps: Frames per second.
    """
    starts = self.stride * np.arange(self.num_windows(num_frames))
    return (starts + self.window / 2) / fps

  def __call__(self, reader: Reader) -> np.ndarray:
    """Returns the features of all windows (windows, ...), float32.

    Raises:
      VideoError: If a frame cannot be decoded.
      ValueError: If frames are smaller than the network's square.
    """
    return np.concatenate(list(self.batches(reader)))

  def batches(self, reader: Reader) -> Iterator[np.ndarray]:
    """Yields the features of some windows after the other, (n, ...) float32.

    Raises:
      VideoError: If a frame cannot be decoded.
      ValueError: If frames are smaller than the network's square.
    """
    total = self.num_windows(reader.num_frames)
    for first in range(0, total, self.batch_size):
      numbers = np.arange(first, min(first + self.batch_size, total))
      yield self._forward(self._read(reader, numbers))

  def _read(self, reader: Reader, numbers: np.ndarray) -> np.ndarray:
    """Returns the clips (n, T, H, W, 3) of windows; a frame is decoded once."""
    frames = self._clip_shape[0]
    within = (2 * np.arange(frames) + 1) * self.window // (2 * frames)
    indices = self.stride * numbers[:, None] + within
    wanted, places = np.unique(
      np.minimum(indices, reader.num_frames - 1), return_inverse=True
    )
    pictures = self._pictures(reader, wanted.tolist())
    clips = [
      [pictures[place] for place in clip] for clip in places.reshape(indices.shape)
    ]
    if self.short_side is not None:
      return np.stack(list(map(np.stack, clips)))
    return np.stack([crop_square(clip, self._clip_shape[1]) for clip in clips])

  def _pictures(self, reader: Reader, indices: list[int]) -> list[np.ndarray]:
    protocol, side = self.saved.protocol, self._clip_shape[1]
    stretch = (side, side) if self.stretch else protocol.stretch
    if self.short_side is not None:
      return reader.pictures(indices, short_side=self.short_side)
    if stretch is None:
      return reader.pictures(indices, short_side=protocol.short_side)
    frames, _ = reader.read_stretched(indices, stretch)
    return list(frames)


def _check_whole(saved: SavedModel, short_side: int, stretch: bool) -> None:
  """Raises ValueError if a network cannot take whole frames as they are."""
  check_at_least("short_side", short_side, 1)
  if stretch:
    raise ValueError("whole frames are stretched or keep their proportions, not both.")
  size = saved.protocol.crop_size
  if saved.network.arguments_for(num_frames=None, image_size=size):
    raise ValueError(
      f"{saved.name} has positions of a square of {size} pixels: whole frames can "
      "only be stretched to it."
    )
