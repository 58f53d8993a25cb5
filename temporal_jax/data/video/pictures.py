"""From a decoded frame to an array of uint8."""

from collections.abc import Sequence

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from temporal_jax.data.video.orientation import Orientation, orientation

# Of a decoded frame, and of a resized one: 8192 x 8192. A header of some bytes
# can ask for more, and some dozens of such frames fill a machine's memory.
MAX_PIXELS = 2**26
# Options of FFmpeg's decoders, which then allocate no larger frame.
PIXEL_LIMIT = {"max_pixels": str(MAX_PIXELS)}


class VideoError(ValueError):
  """A video that cannot be read; the message says why."""


def check_pixels(height: int, width: int, what: str = "the frames") -> None:
  """Raises VideoError if there are more than `MAX_PIXELS` in a frame."""
  if height * width > MAX_PIXELS:
    raise VideoError(
      f"{what} have {height} x {width} pixels, more than {MAX_PIXELS:,} pixels"
    )


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
      size: Height and width of the video's frames as they are stored, before
        they are turned the right way up; another one is stretched to it first.
      short_side: Pixels to which the shorter side of `size` is resized, keeping
        the aspect; None keeps the size.
      form: "rgb24", or "gray" for one channel.

    Raises:
      VideoError: If the resized frame has more than `MAX_PIXELS`.
    """
    shown = orientation(frame)
    height, width = size = shown.size(size)
    if short_side is not None:
      scale = short_side / min(size)
      height = max(short_side, round(height * scale))
      width = max(short_side, round(width * scale))
    return self._resize(frame, shown, (height, width), "BILINEAR", form)

  def stretch(
    self, frame: av.VideoFrame, canvas: tuple[int, int], form: str = "rgb24"
  ) -> np.ndarray:
    """Returns (*canvas, C); the proportions change.

    Raises:
      VideoError: If the canvas has more than `MAX_PIXELS`.
    """
    return self._resize(frame, orientation(frame), canvas, "BICUBIC", form)

  def _resize(
    self,
    frame: av.VideoFrame,
    shown: Orientation,
    size: tuple[int, int],
    interpolation: str,
    form: str,
  ) -> np.ndarray:
    """Returns (*size, C), turned the right way up."""
    check_pixels(*size, "the resized frames")
    height, width = shown.size(size)
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
    return shown.apply(picture)


def upright(frame: av.VideoFrame, size: tuple[int, int]) -> tuple[int, int]:
  """Returns what height and width `size` become when the frame is turned."""
  return orientation(frame).size(size)


def check_indices(indices: Sequence[int], num_frames: int) -> None:
  """Raises IndexError if a frame is not in [0, num_frames)."""
  outside = [int(i) for i in indices if not 0 <= i < num_frames]
  if outside:
    raise IndexError(f"frames {outside} are not in [0, {num_frames}).")


def reason(error: Exception, decoder: av.codec.CodecContext | None = None) -> str:
  """Returns the error's words without the path, which the caller names.

  Args:
    error: Of Python or PyAV.
    decoder: What it came from, if it came from one.
  """
  if isinstance(error, FileNotFoundError):
    return "the file does not exist"
  if isinstance(error, av.ExitError):
    return "reading it takes too long"
  # A decoder forgets the size of a frame that is too large for it.
  forgot = decoder is not None and not decoder.width
  if forgot and isinstance(error, av.ArgumentError):
    return f"a frame has more than {MAX_PIXELS:,} pixels"
  words = getattr(error, "strerror", None) or str(error)
  return f"{type(error).__name__}: {words}"
