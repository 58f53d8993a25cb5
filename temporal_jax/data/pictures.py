"""From a decoded frame to an array of uint8."""

from collections.abc import Sequence

import av
import numpy as np
from av.video.reformatter import VideoReformatter


class VideoError(ValueError):
  """A video that cannot be read; the message says why."""


class Scaler:
  """Makes arrays of frames, in any size, the right way up.

  What swscale sets up for one frame serves the next ones. Not for several
  threads at once.
  """

  def __init__(self):
    self._reformatter = VideoReformatter()

  def keep_aspect(
    self,
    frame: av.VideoFrame,
    size: tuple[int, int],
    short_side: int | None,
    form: str = "rgb24",
  ) -> np.ndarray:
    """Returns (H, W, C), resized by the shorter side.

    Args:
      frame: As it was decoded.
      size: Height and width of the video's frames, the right way up; another
        one is stretched to it first.
      short_side: Pixels to which the shorter side of `size` is resized, keeping
        the aspect; None keeps the size.
      form: "rgb24", or "gray" for one channel.
    """
    height, width = size
    if short_side is not None:
      scale = short_side / min(size)
      height = max(short_side, round(height * scale))
      width = max(short_side, round(width * scale))
    return self._resize(frame, (height, width), "BILINEAR", form)

  def stretch(
    self, frame: av.VideoFrame, canvas: tuple[int, int], form: str = "rgb24"
  ) -> np.ndarray:
    """Returns (*canvas, C); the proportions change."""
    return self._resize(frame, canvas, "BICUBIC", form)

  def _resize(
    self,
    frame: av.VideoFrame,
    size: tuple[int, int],
    interpolation: str,
    form: str,
  ) -> np.ndarray:
    """Returns (*size, C), turned the right way up."""
    turns = quarter_turns(frame)
    height, width = size[::-1] if turns % 2 else size
    picture = self._reformatter.reformat(
      frame,
      width,
      height,
      form,
      interpolation=interpolation,
      # Grey is luma as it was stored, from 0 to 255.
      dst_color_range="JPEG" if form == "gray" else None,
      threads=1,
    ).to_ndarray()
    if picture.ndim == 2:
      picture = picture[..., None]
    return np.rot90(picture, k=turns)


def quarter_turns(frame: av.VideoFrame) -> int:
  """Returns how often the frame is turned, counterclockwise, to be upright."""
  return round(frame.rotation / 90)


def upright(frame: av.VideoFrame, size: tuple[int, int]) -> tuple[int, int]:
  """Returns what height and width `size` become when the frame is turned."""
  return size[::-1] if quarter_turns(frame) % 2 else size


def even_times(num_frames: int, fps: float | None) -> list[float]:
  """Returns when frames are shown, in seconds from the first.

  Raises:
    VideoError: If the frames a second are not known.
  """
  if not fps:
    raise VideoError("the frames a second are not known")
  return [number / fps for number in range(num_frames)]


def check_indices(indices: Sequence[int], num_frames: int) -> None:
  """Raises IndexError if a frame is not in [0, num_frames)."""
  outside = [int(i) for i in indices if not 0 <= i < num_frames]
  if outside:
    raise IndexError(f"frames {outside} are not in [0, {num_frames}).")


def reason(error: Exception) -> str:
  """Returns the error's words without the path, which the caller names."""
  if isinstance(error, FileNotFoundError):
    return "the file does not exist"
  words = getattr(error, "strerror", None) or str(error)
  return f"{type(error).__name__}: {words}"
