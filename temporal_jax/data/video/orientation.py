"""Which way up a decoded frame is shown."""

from fractions import Fraction
from typing import NamedTuple

import av
import av.filter
import numpy as np


class Orientation(NamedTuple):
  """How the rows and columns of a stored frame become those that are shown.

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
    """Returns what a stored height and width become; also the reverse."""
    return size[::-1] if self.transposed else size

  def apply(self, picture: np.ndarray) -> np.ndarray:
    """Returns a view of a stored picture (H, W, ...) as it is shown."""
    if self.transposed:
      picture = picture.swapaxes(0, 1)
    rows = -1 if self.flipped_rows else 1
    return picture[::rows, :: -1 if self.flipped_columns else 1]


def orientation(frame: av.VideoFrame) -> Orientation:
  """Returns how a frame is shown, by its display matrix.

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
