"""Reading chosen frames of a video file with PyAV."""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import av
import numpy as np

from temporal_jax.data.containers import open_container
from temporal_jax.data.frame_index import index_frames
from temporal_jax.data.pictures import (
  Scaler,
  VideoError,
  check_indices,
  reason,
  upright,
)
from temporal_jax.data.playing import Player

TIME_LIMIT = 60.0  # Seconds.

_T = TypeVar("_T")


class VideoReader:
  """Reads frames by their index in presentation order.

  Use as a context manager: it always closes the container. Frames are found by
  an index of the packets, never by time / rate, so that variable frame rates
  and edit lists are exact; only the groups of pictures that hold a wanted frame
  are decoded, and of these no frame that neither is wanted nor needed by
  others. Frames are turned and mirrored as their display matrix says. They have
  the pixels that are stored, as torchvision, decord and PyAV give them: where
  these are not square, a player shows the picture wider or narrower. All frames
  of a video have one size: if it changes midway, they are stretched to that
  with which the file is opened.

  Attributes:
    num_frames: Frames in the video, at least 1.
    fps: Frames a second, on average; None of a single frame.
    times: When each frame is shown, in seconds from the first.
    keyframes: Indices of the frames that are decoded without others.
  """

  def __init__(
    self,
    video: bytes | str | os.PathLike,
    *,
    time_limit: float = TIME_LIMIT,
    square_pixels: bool = False,
  ):
    """Opens a file's bytes or a path.

    Args:
      video: The file's content as bytes, or its path: whatever its characters,
        it is never taken for an address.
      time_limit: Seconds that opening, each reading, and each frame of a stream
        may take.
      square_pixels: Whether the width is changed by the sample aspect ratio, as
        a player does, so that pixels are square and a circle is round.

    Raises:
      VideoError: If it is missing, no regular file, empty, cut off, no video,
        has no video frames, frames of more than `pictures.MAX_PIXELS`, a header
        that declares more than its bytes can hold, or takes too long.
    """
    self._container = None
    self._time_limit = time_limit
    self._start_clock()
    try:
      self._open(video, square_pixels)
    except (av.FFmpegError, OSError) as error:
      self.close()
      raise VideoError(reason(error)) from error
    except BaseException:
      self.close()
      raise

  def __enter__(self) -> "VideoReader":
    return self

  def __exit__(self, *exception: object) -> None:
    self.close()

  def close(self) -> None:
    """Closes the container; further calls do nothing."""
    if self._container is not None:
      self._container.close()
    self._container = self._player = self._scaler = self._context = None

  def read(
    self, indices: Sequence[int], *, short_side: int | None = None
  ) -> np.ndarray:
    """Returns what `pictures` does as one array (len(indices), H, W, 3)."""
    return np.stack(self.pictures(indices, short_side=short_side))

  def pictures(
    self, indices: Sequence[int], *, short_side: int | None = None
  ) -> list[np.ndarray]:
    """Decodes frames, each by itself, so that they are copied when cropped.

    Args:
      indices: Frame numbers in [0, num_frames), in any order, also repeated.
      short_side: Pixels to which the shorter side is resized, keeping the
        aspect; None keeps the size.

    Returns:
      Frames (H, W, 3), uint8 RGB.

    Raises:
      IndexError: If an index is out of range.
      VideoError: If a frame cannot be decoded without faults, or in time.
    """
    return self._read(
      indices, lambda frame: self._keep_aspect(frame, short_side)
    )

  def stream(
    self,
    indices: Sequence[int],
    *,
    short_side: int | None = None,
    stretch: tuple[int, int] | None = None,
  ) -> Iterator[np.ndarray]:
    """Decodes frames one after another, as a player does, and keeps none.

    All frames up to the last wanted one are decoded, each once. The reader is
    for nothing else meanwhile.

    Args:
      indices: Frame numbers in [0, num_frames), ascending, also repeated.
      short_side: As of `pictures`.
      stretch: Height and width to which frames are resized instead, whatever
        their proportions.

    Yields:
      Frames (H, W, 3), uint8 RGB.

    Raises:
      IndexError: If an index is out of range.
      ValueError: If indices descend.
      VideoError: If a frame cannot be decoded without faults, or in time; the
        frames before it have come.
    """
    check_indices(indices, self.num_frames)
    frames, number = self._player.all_frames(), -1
    for index in indices:
      if index < number:
        raise ValueError(f"frames must ascend, got {index} after {number}.")
      if index > number:
        frame = self._advance(frames, index - number)
        number = index
        if stretch is None:
          picture = self._keep_aspect(frame, short_side)
        else:
          picture = self._scaler.stretch(frame, stretch)
      yield picture

  def read_stretched(
    self, indices: Sequence[int], canvas: tuple[int, int]
  ) -> tuple[np.ndarray, tuple[int, int]]:
    """Decodes whole frames and stretches them to one size.

    Args:
      indices: As of `read`.
      canvas: Height and width of the result, H and W.

    Returns:
      Frames (len(indices), H, W, 3), uint8 RGB, and the height and width of the
      video's frames before they were stretched, the right way up.

    Raises:
      IndexError: If an index is out of range.
      VideoError: If a frame cannot be decoded without faults, or in time.
    """
    pictures, sizes = zip(
      *self._read(
        indices,
        lambda frame: (
          self._scaler.stretch(frame, canvas),
          upright(frame, self._size),
        ),
      ),
      strict=True,
    )
    return np.stack(pictures), sizes[0]

  def _open(
    self, video: bytes | str | os.PathLike, square_pixels: bool
  ) -> None:
    """Opens the container and finds the frames."""
    self._container, stream = open_container(video, time_limit=self._time_limit)
    context = self._context = stream.codec_context
    context.thread_type = "NONE"
    context.thread_count = 1
    self._size = context.height, context.width
    if square_pixels and stream.sample_aspect_ratio:
      width = max(1, round(context.width * stream.sample_aspect_ratio))
      self._size = context.height, width
    self._scaler = Scaler()
    index = index_frames(self._in_time(self._container.demux(stream)))
    self._times = index.times
    self.times = index.seconds(stream)
    self._player = Player(self._container, stream, index, self._in_time)
    self.num_frames = len(index.times)
    self.keyframes = index.keyframes()
    self.fps = index.rate(stream)

  def _keep_aspect(
    self, frame: av.VideoFrame, short_side: int | None
  ) -> np.ndarray:
    return self._scaler.keep_aspect(frame, self._size, short_side)

  def _advance(
    self, frames: Iterator[av.VideoFrame], count: int
  ) -> av.VideoFrame:
    """Returns the last of the next `count` frames."""
    try:
      for _ in range(count):
        self._start_clock()
        frame = next(frames)
    except av.FFmpegError as error:
      raise VideoError(reason(error, self._context)) from error
    return frame

  def _start_clock(self) -> None:
    self._deadline = time.monotonic() + self._time_limit

  def _in_time(self, packets: Iterable[av.Packet]) -> Iterator[av.Packet]:
    """Yields packets as long as there is time."""
    for packet in packets:
      if time.monotonic() >= self._deadline:
        raise VideoError(f"reading takes more than {self._time_limit} s")
      yield packet

  def _read(
    self, indices: Sequence[int], convert: Callable[[av.VideoFrame], _T]
  ) -> list[_T]:
    """Returns the converted frames of `indices`; each is converted once."""
    check_indices(indices, self.num_frames)
    self._start_clock()
    times = [self._times[i] for i in indices]
    try:
      frames = {
        shown: convert(frame)
        for shown, frame in self._player.frames(set(times))
      }
    except av.FFmpegError as error:
      raise VideoError(reason(error, self._context)) from error
    return [frames[shown] for shown in times]
