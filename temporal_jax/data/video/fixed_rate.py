"""Reads a video at another frame rate, by repeating or leaving out frames."""

from collections.abc import Sequence

import numpy as np

from temporal_jax.data.video.image_folder import EvenlyTimedReader
from temporal_jax.data.video.pictures import VideoError, check_indices
from temporal_jax.data.video.readers import Reader
from temporal_jax.validation import check_number

# Far above the rates of cameras, so that a typing error is no terabyte.
_FASTEST = 1000


class FixedRateReader(EvenlyTimedReader):
  """Reads frames at a fixed rate by repeating and leaving out frames.

  Frame k is the one of the video that is shown nearest to k / fps, the earlier
  of two that are as near: frames repeat where the video has fewer, and are left
  out where it has more.

  Attributes:
    num_frames: Frames at that rate for the time of the video, at least 1.
    fps: The rate.
  """

  def __init__(self, reader: Reader, fps: float):
    """Takes an open reader, which is closed with this one.

    Args:
      reader: Reader of the video.
      fps: Frames per second, in (0, 1000].

    Raises:
      ValueError: If the rate is out of its bounds.
      VideoError: If the times of the video's frames are not known.
    """
    check_rate(fps)
    if not reader.fps:
      raise VideoError("its frames per second are not known")
    self.fps, self._reader = float(fps), reader
    times = np.asarray(reader.times)
    length = times[-1] + 1 / reader.fps
    self.num_frames = max(1, round(length * fps))
    wanted = np.arange(self.num_frames) / fps
    after = np.searchsorted(times, wanted).clip(max=len(times) - 1)
    before = np.maximum(after - 1, 0)
    # Distances that differ by rounding only are equal.
    is_nearer = times[after] + 1e-6 < 2 * wanted - times[before]
    self._places = np.where(is_nearer, after, before)

  def close(self) -> None:
    """Closes the video's reader."""
    self._reader.close()

  def pictures(
    self, indices: Sequence[int], *, short_side: int | None = None
  ) -> list[np.ndarray]:
    """Returns frames (H, W, C), uint8, as `Reader.pictures`."""
    return self._reader.pictures(self._of(indices), short_side=short_side)

  def read_stretched(
    self, indices: Sequence[int], canvas: tuple[int, int]
  ) -> tuple[np.ndarray, tuple[int, int]]:
    """Returns frames (T, H, W, C) and a size, as `Reader.read_stretched`."""
    return self._reader.read_stretched(self._of(indices), canvas)

  def _of(self, indices: Sequence[int]) -> list[int]:
    """Returns the numbers of frames in the video."""
    check_indices(indices, self.num_frames)
    return self._places[list(indices)].tolist()


def check_rate(fps: float) -> None:
  """Raises ValueError if frames per second are not in (0, 1000]."""
  check_number("fps", fps, 0, _FASTEST)
  if not fps:
    raise ValueError("fps must be above 0, got 0.")
