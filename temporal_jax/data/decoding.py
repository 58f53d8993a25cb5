"""Reading chosen frames of a video file with PyAV."""

import bisect
import io
import os
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import av
import numpy as np

_T = TypeVar("_T")


class VideoError(ValueError):
  """A video that cannot be read; the message says why."""


class VideoReader:
  """Reads frames by their index in presentation order.

  Use as a context manager: it always closes the container. Frames are found by
  an index of the packets, never by time / rate, so that variable frame rates
  and edit lists are exact; only the groups of pictures that hold a wanted frame
  are decoded. Rotation metadata is applied.

  Attributes:
    num_frames: Frames in the video, at least 1.
  """

  def __init__(self, video: bytes | str | os.PathLike):
    """Opens a file's bytes or a path.

    Raises:
      VideoError: If it is missing, empty, no video, or has no video frames.
    """
    self._container = None
    try:
      if isinstance(video, bytes):
        if not video:
          raise VideoError("the file is empty")
        file = io.BytesIO(video)
      else:
        file = os.fspath(video)
        if os.path.isfile(file) and os.path.getsize(file) == 0:
          raise VideoError("the file is empty")
      self._container = av.open(file)
      if not self._container.streams.video:
        raise VideoError("the file has no video stream")
      self._stream = self._container.streams.video[0]
      self._stream.thread_type = "NONE"
      self._stream.codec_context.thread_count = 1
      self._times, self._keys = self._index()
    except (av.FFmpegError, OSError) as error:
      self.close()
      raise VideoError(_reason(error)) from error
    except VideoError:
      self.close()
      raise
    self.num_frames = len(self._times)

  def __enter__(self) -> "VideoReader":
    return self

  def __exit__(self, *exception: object) -> None:
    self.close()

  def close(self) -> None:
    """Closes the container; further calls do nothing."""
    if self._container is not None:
      self._container.close()
      self._container = None

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
      VideoError: If a frame cannot be decoded.
    """
    return self._read(indices, lambda frame: _keep_aspect(frame, short_side))

  def read_stretched(
    self, indices: Sequence[int], canvas: tuple[int, int]
  ) -> tuple[np.ndarray, tuple[int, int]]:
    """Decodes whole frames and stretches them to one size.

    Args:
      indices: As of `read`.
      canvas: Height and width of the result, H and W.

    Returns:
      Frames (len(indices), H, W, 3), uint8 RGB, and the height and width of the
      first one before it was stretched, the right way up.

    Raises:
      IndexError: If an index is out of range.
      VideoError: If a frame cannot be decoded.
    """
    pictures, sizes = zip(
      *self._read(indices, lambda frame: _stretch(frame, canvas)), strict=True
    )
    return np.stack(pictures), sizes[0]

  def _read(
    self, indices: Sequence[int], convert: Callable[[av.VideoFrame], _T]
  ) -> list[_T]:
    """Returns the converted frames of `indices`; each is converted once."""
    outside = [i for i in indices if not 0 <= i < self.num_frames]
    if outside:
      raise IndexError(f"frames {outside} are not in [0, {self.num_frames}).")
    times = [self._times[i] for i in indices]
    try:
      frames = {
        time: convert(frame) for time, frame in self._decode(sorted(set(times)))
      }
    except av.FFmpegError as error:
      raise VideoError(_reason(error)) from error
    return [frames[time] for time in times]

  def _index(self) -> tuple[list[int], list[int]]:
    """Returns the presentation times of the frames and of the keyframes."""
    times, keys, count = set(), set(), 0
    for packet in self._container.demux(self._stream):
      if packet.pts is None:
        continue
      count += 1
      if packet.is_keyframe:
        keys.add(packet.pts)
      if not packet.is_discard:
        times.add(packet.pts)
    if not times or not keys:
      raise VideoError("the file has no video frames")
    if "mp4" in self._container.format.name and count < self._stream.frames:
      raise VideoError(
        f"the file is cut off: {count} of {self._stream.frames} frames"
      )
    return sorted(times), sorted(keys)

  def _decode(
    self, times: Sequence[int]
  ) -> Iterator[tuple[int, av.VideoFrame]]:
    """Yields the frames shown at `times`, which ascend."""
    frames, position = iter(()), None
    for time in times:
      key = self._keys[max(bisect.bisect_right(self._keys, time) - 1, 0)]
      if position is None or key > position:
        self._container.seek(key, stream=self._stream)
        frames = self._container.decode(self._stream)
      for frame in frames:
        position = frame.pts
        if frame.pts is not None and frame.pts >= time:
          break
      if position != time:
        raise VideoError(f"the frame at time stamp {time} cannot be decoded")
      yield time, frame


def _keep_aspect(frame: av.VideoFrame, short_side: int | None) -> np.ndarray:
  """Returns (H, W, 3) uint8, resized by its shorter side, the right way up."""
  height, width = frame.height, frame.width
  if short_side is not None:
    scale = short_side / min(height, width)
    height = max(short_side, round(height * scale))
    width = max(short_side, round(width * scale))
  return _to_array(frame, height, width, "BILINEAR")


def _stretch(
  frame: av.VideoFrame, canvas: tuple[int, int]
) -> tuple[np.ndarray, tuple[int, int]]:
  """Returns (*canvas, 3) uint8 and the frame's size, the right way up."""
  size = frame.height, frame.width
  if round(frame.rotation / 90) % 2:  # Lies on its side until it is turned.
    return _to_array(frame, *canvas[::-1], "BICUBIC"), size[::-1]
  return _to_array(frame, *canvas, "BICUBIC"), size


def _to_array(
  frame: av.VideoFrame, height: int, width: int, interpolation: str
) -> np.ndarray:
  """Returns a frame of a size as uint8 RGB, then turned the right way up."""
  picture = frame.reformat(width, height, "rgb24", interpolation=interpolation)
  return np.rot90(picture.to_ndarray(), k=round(frame.rotation / 90))


def _reason(error: Exception) -> str:
  """Returns the error's words without the path, which the caller names."""
  if isinstance(error, FileNotFoundError):
    return "the file does not exist"
  words = getattr(error, "strerror", None) or str(error)
  return f"{type(error).__name__}: {words}"
