"""Opens any video with one interface: a file, pictures, or optical flow."""

import os
from collections.abc import Sequence
from typing import Protocol, Self

import numpy as np

from temporal_jax.data.video.decoding import TIME_LIMIT, VideoReader
from temporal_jax.data.video.flow import FlowFolder, FlowReader
from temporal_jax.data.video.image_folder import ImageFolder, ImageFolderReader
from temporal_jax.data.video.numbered_pictures import check_pattern
from temporal_jax.data.video.tar_member import TarMember

# A file's bytes or path, a file in a tar file, the path of a folder of numbered
# pictures, or such a folder with the pattern of the pictures' names.
Readable = bytes | str | os.PathLike | TarMember | ImageFolder | FlowFolder


class Reader(Protocol):
  """Reads frames of a video by their index.

  Attributes:
    num_frames: Frames, at least 1.
    fps: Frames per second, None if that is not known.
    times: Time of each frame on the screen, in seconds after the first; asking
      for it is a VideoError where the times are not known.
  """

  num_frames: int
  fps: float | None
  times: Sequence[float]

  def __enter__(self) -> Self: ...

  def __exit__(self, *exception: object) -> None: ...

  def close(self) -> None:
    """Closes the video; further calls do nothing."""

  def pictures(
    self, indices: Sequence[int], *, short_side: int | None = None
  ) -> list[np.ndarray]:
    """Returns frames (H, W, C), uint8, as `VideoReader.pictures`."""

  def read_stretched(
    self, indices: Sequence[int], canvas: tuple[int, int]
  ) -> tuple[np.ndarray, tuple[int, int]]:
    """Returns frames (T, H, W, C) and a size, as `VideoReader`."""


def open_reader(
  video: Readable,
  *,
  time_limit: float = TIME_LIMIT,
  square_pixels: bool = False,
) -> Reader:
  """Opens a video for reading; use it as a context manager.

  Args:
    video: A file, pictures, or optical flow.
    time_limit: Seconds that opening a file, and each reading, may take.
    square_pixels: Whether frames of a file are widened or narrowed so that
      their pixels are square, see `VideoReader`; pictures have square ones.

  Raises:
    ValueError: If `time_limit` is not above 0.
    VideoError: If it cannot be read.
  """
  if not time_limit > 0:
    raise ValueError(f"time_limit must be above 0 seconds, got {time_limit}.")
  if isinstance(video, FlowFolder):
    return FlowReader(video)
  if isinstance(video, str | os.PathLike) and os.path.isdir(video):
    video = ImageFolder(os.fsdecode(video))
  if isinstance(video, ImageFolder):
    return ImageFolderReader(video)
  if isinstance(video, TarMember):
    video = video.read()
  return VideoReader(video, time_limit=time_limit, square_pixels=square_pixels)


def with_pattern(path: str, pattern: str, flow: int = 0) -> Readable:
  """Returns a folder with the pattern of its pictures, other paths as is.

  Args:
    path: Path of a file or a folder.
    pattern: See `ImageFolder`; "" leaves it to be found out. Of flow see
      `flow_patterns`.
    flow: Consecutive pairs of optical flow that make a frame; 0 for pictures in
      colour.
  """
  if flow:
    return FlowFolder(path, *flow_patterns(pattern), stack=flow)
  if pattern and os.path.isdir(path):
    return ImageFolder(path, pattern)
  return path


def flow_patterns(frames: str) -> tuple[str, str]:
  """Returns the patterns of the pictures of the two parts of flow.

  Args:
    frames: Both patterns with a comma between, x first: "x_*.jpg,y_*.jpg"; ""
      is "*_x.jpg,*_y.jpg".

  Raises:
    ValueError: If they are not two different patterns of pictures.
  """
  if not frames:
    return FlowFolder.x, FlowFolder.y
  patterns = tuple(part.strip() for part in frames.split(","))
  if len(patterns) != 2 or patterns[0] == patterns[1]:
    raise ValueError(
      "the pictures of optical flow have two patterns, x first: "
      f"'flow_x_*.jpg,flow_y_*.jpg'; got {frames!r}."
    )
  for pattern in patterns:
    check_pattern(pattern)
  return patterns


def num_channels(video: Readable) -> int:
  """Returns the channels of a frame, C: 3, or 2 for each pair of a flow."""
  return 2 * video.stack if isinstance(video, FlowFolder) else 3
