"""Turns decoded frames into arrays: rotated, resized and cropped."""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import av
import av.filter
import numpy as np
from av.video.reformatter import VideoReformatter

# Most pixels of a decoded or resized frame: 8192 x 8192. A header of some bytes
# can ask for more, and some dozens of such frames fill a machine's memory.
MAX_PIXELS = 2**26
# Options of FFmpeg's decoders, which then allocate no larger frame.
PIXEL_LIMIT = {"max_pixels": str(MAX_PIXELS)}


class VideoError(ValueError):
  """A video that cannot be read; the message has the reason."""


def check_pixels(height: int, width: int, what: str = "the frames") -> None:
  """Raises VideoError if there are more than `MAX_PIXELS` in a frame."""
  if height * width > MAX_PIXELS:
    raise VideoError(
      f"{what} have {height} x {width} pixels, more than {MAX_PIXELS:,} pixels"
    )


class Orientation(NamedTuple):
  """Turn of a stored frame to the frame that is shown.

  The three steps, in this order, give all eight orientations of a rectangle.

  Attributes:
    transposed: Whether rows become columns.
    flipped_rows: Whether the order of rows is reversed: top and bottom.
    flipped_columns: Whether the order of columns is: left and right.
  """

  transposed: bool = False
  flipped_rows: bool = False
  flipped_columns: bool = False

  def size(self, size: tuple[int, int]) -> tuple[int, int]:
    """Returns the shown height and width of stored ones; also the reverse."""
    return size[::-1] if self.transposed else size

  def apply(self, picture: np.ndarray) -> np.ndarray:
    """Returns a view of a stored picture (H, W, ...) as it is shown."""
    if self.transposed:
      picture = picture.swapaxes(0, 1)
    rows = -1 if self.flipped_rows else 1
    return picture[::rows, :: -1 if self.flipped_columns else 1]


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
  """Returns the height and width of `size` after the frame is turned."""
  return orientation(frame).size(size)


def orientation(frame: av.VideoFrame) -> Orientation:
  """Returns the orientation of a shown frame, from its display matrix.

  FFmpeg makes one of the track header of MP4 and QuickTime, of Matroska's
  projection, of messages in H.264 and HEVC, and of the EXIF orientation of
  JPEG, PNG and WebP. A pixel in column p and row q is shown in column
  a p + c q + x and row b p + d q + y. Turns that are no quarter turns become
  the nearest one.
  """
  matrix = _display_matrix(frame)
  if matrix is None:
    return Orientation()
  # Fixed-point numbers of another scale in each column; only 2 x 2 matter.
  a, b, c, d = (int(matrix[place]) for place in (0, 1, 3, 4))
  if abs(a) + abs(d) >= abs(b) + abs(c):
    return Orientation(False, flipped_rows=d < 0, flipped_columns=a < 0)
  return Orientation(True, flipped_rows=b < 0, flipped_columns=c < 0)


def _display_matrix(frame: av.VideoFrame) -> np.ndarray | None:
  """Returns the nine numbers of the matrix, int32, if there is one."""
  while True:
    try:
      return np.frombuffer(frame.side_data["DISPLAYMATRIX"], np.int32)
    except KeyError:
      return None
    except ValueError as error:
      # PyAV refuses all side data if there is a kind that it does not know,
      # such as EXIF, and names its number first.
      frame = _without(frame, str(error).split()[0])


def _without(frame: av.VideoFrame, kind: str) -> av.VideoFrame:
  """Returns the same picture without side data of the kind of a number."""
  graph = av.filter.Graph()
  nodes = (
    graph.add_buffer(
      width=frame.width,
      height=frame.height,
      format=frame.format,
      time_base=Fraction(1, 1),  # The picture's time is of no use here.
    ),
    graph.add("sidedata", f"mode=delete:type={kind}"),
    graph.add("buffersink"),
  )
  graph.link_nodes(*nodes).configure()
  nodes[0].push(frame)
  return nodes[-1].pull()


def crop_square(
  frames: Sequence[np.ndarray],
  size: int,
  rng: np.random.Generator | None = None,
) -> np.ndarray:
  """Cuts out a size x size square: a random one, or the middle without `rng`.

  Args:
    frames: T frames (H, W, C), H and W at least `size`.
    size: Side of the square, in pixels.
    rng: Source of randomness in training; None in evaluation.

  Returns:
    (T, size, size, C), of the same dtype.

  Raises:
    ValueError: If the frames are smaller than the square, or differ in size.
  """
  sizes = {frame.shape[:2] for frame in frames}
  if len(sizes) > 1:
    raise ValueError(f"frames of one clip differ in size: {sorted(sizes)}.")
  height, width = sizes.pop()
  if min(height, width) < size:
    raise ValueError(
      f"a {size} x {size} crop does not fit frames of {height} x {width}; "
      "resize them first, by short_side."
    )
  if rng is None:
    top, left = (height - size) // 2, (width - size) // 2
  else:
    top = rng.integers(height - size + 1)
    left = rng.integers(width - size + 1)
  rows, columns = slice(top, top + size), slice(left, left + size)
  return np.stack([frame[rows, columns] for frame in frames])


def check_indices(indices: Sequence[int], num_frames: int) -> None:
  """Raises IndexError if a frame is not in [0, num_frames)."""
  outside = [int(i) for i in indices if not 0 <= i < num_frames]
  if outside:
    raise IndexError(f"frames {outside} are not in [0, {num_frames}).")


def reason(error: Exception, decoder: av.codec.CodecContext | None = None) -> str:
  """Returns the error's words without the path, which the caller names.

  Args:
    error: Error of Python or PyAV.
    decoder: Decoder that raised it, if one did.
  """
  if isinstance(error, FileNotFoundError):
    return "the file does not exist"
  if isinstance(error, av.ExitError):
    return "reading it takes too long"
  # A decoder forgets the size of a frame that is too large for it.
  forgot = decoder is not None and not decoder.width
  if forgot and isinstance(error, av.ArgumentError):
    return f"a frame has more than {MAX_PIXELS:,} pixels"
  if isinstance(error, av.InvalidDataError):
    return "it is damaged, or in no format that FFmpeg reads"
  said = getattr(error, "strerror", None)
  if said is None:
    return f"{type(error).__name__}: {error}"
  said = said[:1].lower() + said[1:]
  return f"FFmpeg says: {said}" if isinstance(error, av.FFmpegError) else said
