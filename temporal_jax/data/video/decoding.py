"""Reading chosen frames of a video file with PyAV."""

import fractions
import itertools
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import av
import numpy as np

from temporal_jax.data.video.containers import open_container
from temporal_jax.data.video.decoded_frames import (
  DecodedIndex,
  DecodedPlayer,
  find_first_packet,
  index_by_decoding,
)
from temporal_jax.data.video.index_cache import CACHE, content_key, path_key
from temporal_jax.data.video.pictures import (
  Scaler,
  VideoError,
  check_indices,
  reason,
  upright,
)
from temporal_jax.data.video.timed_frames import (
  FrameIndex,
  OpenFile,
  Player,
  SearchError,
  TimedIndex,
  TimedPlayer,
  index_by_times,
)

TIME_LIMIT = 60.0  # Seconds.

_T = TypeVar("_T")


class TimeLimitError(VideoError):
  """Reading a video takes too long."""


class VideoReader:
  """Reads frames by their index in presentation order.

  Use as a context manager: it always closes the container. Frame n is the n-th
  that a decoder returns. Frames are found by an index of the packets, never by
  time / rate, so that variable frame rates and edit lists are exact; only the
  groups of pictures that hold a wanted frame are decoded, and of these no frame
  that is neither wanted nor needed by others. Where packets have no times of
  their frames (AVI with B-frames, MPEG program streams), the file is
  decoded once to index it. Frames are turned and mirrored by their display
  matrix. They have the pixels that are stored, as torchvision, decord and
  PyAV give them: where these are not square, a player shows the picture wider
  or narrower. All frames of a video have one size: if it changes midway, they
  are stretched to that with which the file is opened.

  Attributes:
    num_frames: Frames in the video, at least 1.
    fps: Frames per second, on average; None of a single frame.
    times: Time of each frame on the screen, in seconds after the first.
    keyframes: Indices of the frames that are decoded without others.
    index: Places of the frames in the file.
    pixel_ratio: Width of a stored pixel over its height.
  """

  def __init__(
    self,
    video: bytes | str | os.PathLike,
    *,
    time_limit: float = TIME_LIMIT,
    limits_all: bool = False,
    max_frames: int | None = None,
    square_pixels: bool = False,
  ):
    """Opens a file's bytes or a path.

    Args:
      video: The file's content as bytes, or its path: whatever its characters,
        it is never taken for an address.
      time_limit: Seconds that opening, each reading, and each frame of a stream
        may take.
      limits_all: Whether `time_limit` is for all reads together.
      max_frames: Most frames of a file, counted by packets; None is any number.
      square_pixels: Whether the width is changed by the sample aspect ratio, as
        a player does, so that pixels are square and a circle is round.

    Raises:
      VideoError: If it is missing, no regular file, empty, cut off, no video,
        has no video frames, frames of more than `pictures.MAX_PIXELS`, a header
        that declares more than its bytes can hold, or takes too long.
    """
    self._video = video if isinstance(video, bytes) else os.fsdecode(video)
    self._container = None
    self._times_are_right = False
    self._time_limit, self._limits_all = time_limit, limits_all
    self._max_frames = max_frames or sys.maxsize
    self._deadline = time.monotonic() + time_limit
    try:
      self._open(square_pixels)
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
    """Returns the frames of `pictures` as one array (len(indices), H, W, 3)."""
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
    return self._read(indices, lambda frame: self._keep_aspect(frame, short_side))

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
      short_side: See `pictures`.
      stretch: Height and width to which frames are resized instead, whatever
        their proportions.

    Yields:
      Frames (H, W, 3), uint8 RGB.

    Raises:
      IndexError: If an index is out of range.
      ValueError: If indices descend.
      VideoError: If a frame cannot be decoded without faults, or in time; the
        frames before it were yielded.
    """
    check_indices(indices, self.num_frames)
    frames, number = self.frames(), -1
    for index in indices:
      if index < number:
        raise ValueError(f"frames must ascend, got {index} after {number}.")
      if index > number:
        frame = next(itertools.islice(frames, index - number - 1, None))
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
      indices: See `read`.
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

  def _open(self, square_pixels: bool) -> None:
    """Opens the container and finds the frames."""
    container, stream = file = self._open_file()
    self._size = stream.codec_context.height, stream.codec_context.width
    self._reorders = stream.codec_context.codec.reorder
    self.pixel_ratio = stream.sample_aspect_ratio or fractions.Fraction(1)
    if square_pixels:
      height, width = self._size
      self._size = height, max(1, round(width * self.pixel_ratio))
    self._scaler = Scaler()
    in_memory = isinstance(self._video, bytes)
    key = None if in_memory else path_key(self._video)
    known = CACHE.get(key)
    unread = file if known else None
    if known is None:
      packets = self._demux(container, stream)
      index = index_by_times(packets, container, stream)
      if index is not None and index.num_left_out:
        # A packet before the first keyframe may be one without its mark.
        first = self._find_first_packet()
        file = self._open_file()
        index = index if first == index.num_left_out else None
      if index is not None:
        self._use(index, TimedPlayer(file, index, self._demux))
        return
      key = content_key(self._video) if in_memory else key
      known = CACHE.get(key)
    if known is None:
      known = self._index_by_decoding()
      CACHE.put(key, known)
    self._use_decoder(known, unread)

  def _open_file(self) -> OpenFile:
    """Opens the file from its beginning, instead of the open one."""
    if self._container is not None:
      self._container.close()
    self._container, stream = open_container(self._video, time_limit=self._time_limit)
    context = self._context = stream.codec_context
    context.thread_type = "NONE"
    context.thread_count = 1
    return self._container, stream

  def _find_first_packet(self) -> int:
    container, stream = self._open_file()
    packets = self._demux(container, stream)
    return find_first_packet(packets, stream.codec_context)

  def _index_by_decoding(self) -> DecodedIndex:
    first = self._find_first_packet()
    container, stream = self._open_file()
    packets = self._demux(container, stream)
    return index_by_decoding(packets, container, stream, first)

  def _use_decoder(self, index: DecodedIndex, unread: OpenFile | None = None) -> None:
    player = DecodedPlayer(index, self._demux, self._open_file, unread)
    self._use(index, player)

  def _use(self, index: FrameIndex, player: Player) -> None:
    if len(index.ticks) > self._max_frames:  # It may be kept from another reader.
      raise self._too_many()
    self.index = index
    self._player = player
    self.times = index.seconds()
    self.num_frames = len(index.ticks)
    self.keyframes = index.keyframes()
    self.fps = index.rate()

  def _doubt_times(self, error: Exception) -> None:
    """Indexes the file by decoding it, if an error is one of its times.

    That is, if they contradict the decoder, or the container cannot be searched
    by them.

    Raises:
      VideoError: If the times are right: `error`, in its words.
    """
    if not isinstance(error, VideoError):
      error = VideoError(reason(error, self._context))
    timed, lost = self.index, isinstance(error, SearchError)
    if not isinstance(timed, TimedIndex) or isinstance(error, TimeLimitError):
      raise error
    if lost or (self._reorders and not self._times_are_right):
      try:
        decoded = self._index_by_decoding()
      except (av.FFmpegError, OSError, VideoError):
        decoded = None
      if decoded and (lost or not decoded.agrees_with(timed.packets)):
        if not isinstance(self._video, bytes):
          CACHE.put(path_key(self._video), decoded)
        self._use_decoder(decoded)
        return
      self._times_are_right = True
      self._player = TimedPlayer(self._open_file(), timed, self._demux)
    raise error

  def _keep_aspect(self, frame: av.VideoFrame, short_side: int | None) -> np.ndarray:
    return self._scaler.keep_aspect(frame, self._size, short_side)

  def frames(self) -> Iterator[av.VideoFrame]:
    """Yields every frame as it is decoded, in order.

    The reader is for nothing else meanwhile.

    Raises:
      VideoError: If a frame cannot be decoded without faults, or in time; the
        frames before it were yielded.
    """
    number, count = 0, self.num_frames
    self._start_clock()
    try:
      for frame in self._player.all_frames():
        yield frame
        self._start_clock()  # The caller's own time does not count.
        number += 1
    except (av.FFmpegError, VideoError) as error:
      self._doubt_times(error)
      if self.num_frames < count:
        raise self._too_few(number) from error
      yield from itertools.islice(self._player.all_frames(), number, None)

  def _start_clock(self) -> None:
    if not self._limits_all:
      self._deadline = time.monotonic() + self._time_limit

  def _demux(
    self, container: av.container.InputContainer, stream: av.VideoStream
  ) -> Iterator[av.Packet]:
    """Yields packets from where a container is, as long as there is time."""
    more, left = True, self._max_frames + 1  # An empty packet is the last.
    while more:
      self._check_clock()
      try:
        for packet in container.demux(stream):
          self._check_clock()
          if (left := left - 1) < 0:
            raise self._too_many()
          yield packet
        more = False
      except av.BlockingIOError:
        pass  # FFmpeg found no packet so far, as in long runs of zeros.

  def _too_many(self) -> VideoError:
    return VideoError(f"there are over {self._max_frames:,} frames")

  def _check_clock(self) -> None:
    if time.monotonic() >= self._deadline:
      raise TimeLimitError(f"reading takes more than {self._time_limit} s")

  def _read(
    self, indices: Sequence[int], convert: Callable[[av.VideoFrame], _T]
  ) -> list[_T]:
    """Returns the converted frames of `indices`; each is converted once."""
    check_indices(indices, self.num_frames)
    self._start_clock()
    numbers = set(indices)
    try:
      frames = self._convert(numbers, convert)
    except (av.FFmpegError, VideoError) as error:
      self._doubt_times(error)
      if max(numbers) >= self.num_frames:
        raise self._too_few(max(numbers)) from error
      frames = self._convert(numbers, convert)
    return [frames[number] for number in indices]

  def _too_few(self, number: int) -> VideoError:
    return VideoError(
      f"frame {number} cannot be decoded: the decoder returns only "
      f"{self.num_frames} frames"
    )

  def _convert(
    self, numbers: set[int], convert: Callable[[av.VideoFrame], _T]
  ) -> dict[int, _T]:
    return {number: convert(frame) for number, frame in self._player.frames(numbers)}
