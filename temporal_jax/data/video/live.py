"""Reads frames of cameras, pipes and streams as they arrive."""

import io
import os
from collections.abc import Iterator

import av

from temporal_jax.data.video.containers import (
  FORMATS,
  choose_stream,
  open_container,
)
from temporal_jax.data.video.pictures import PIXEL_LIMIT, VideoError, reason

# Demuxers that are tried where none is named.
LIVE_FORMATS = f"{FORMATS},rtsp,v4l2,yuv4mpegpipe"
_PATIENCE = 60.0  # Seconds that an address may be silent.


class LiveVideo:
  """The frames of a file, a device, an address or a pipe, as they come.

  Use as a context manager. It is read once, front to back, and nothing needs to
  be known of its end. Frames that cannot be decoded are left out and counted;
  those after them up to the next keyframe may be missing or show traces of
  them, as in any player.

  Attributes:
    lost: Packets and frames that could not be decoded so far.
  """

  def __init__(self, source: str | int, *, form: str | None = None):
    """Opens the source.

    Args:
      source: The path of a file or of a device, an address, or the descriptor
        of a pipe, which stays open: 0 is standard input.
      form: Name of FFmpeg's demuxer, e.g. "avfoundation" for a camera of macOS;
        None lets FFmpeg choose among `LIVE_FORMATS`.

    Raises:
      VideoError: If it cannot be opened, or has no video stream.
    """
    self.lost = 0
    self._pipe = None if isinstance(source, str) else _Pipe(source)
    try:
      self._container, self._stream = _open(self._pipe or source, form)
    except VideoError:
      self._check_interrupt()
      raise
    except (av.FFmpegError, OSError) as error:
      self._check_interrupt()
      raise VideoError(reason(error)) from error
    self._stream.codec_context.thread_type = "NONE"  # No frame waits for more.

  def __enter__(self) -> "LiveVideo":
    return self

  def __exit__(self, *exception: object) -> None:
    self.close()

  def close(self) -> None:
    """Closes the container; further calls do nothing."""
    self._container.close()

  def __iter__(self) -> Iterator[av.VideoFrame]:
    """Yields frames; it ends where the source does.

    Raises:
      VideoError: If reading fails, or it ended without a frame.
    """
    empty = True
    try:
      for packet in self._container.demux(self._stream):
        self._check_interrupt()
        for frame in self._decode(packet):
          empty = False
          yield frame
    except av.FFmpegError as error:
      self._check_interrupt()
      raise VideoError(reason(error)) from error
    self._check_interrupt()
    if empty:
      raise VideoError(f"it ended without a frame; {self.lost} could not be decoded")

  def _check_interrupt(self) -> None:
    if self._pipe is not None and self._pipe.interrupted:
      raise KeyboardInterrupt

  def _decode(self, packet: av.Packet) -> list[av.VideoFrame]:
    """Returns the frames that a packet completes, without the faulty."""
    try:
      frames = packet.decode()
    except av.FFmpegError:
      self.lost += 1
      return []
    good = [frame for frame in frames if not frame.is_corrupt]
    self.lost += len(frames) - len(good)
    return good


class _Pipe(io.FileIO):
  """A pipe that Ctrl-C ends; PyAV, which calls `read`, would not notice."""

  def __init__(self, descriptor: int):
    super().__init__(descriptor, closefd=False)
    self.interrupted = False

  def read(self, size: int = -1) -> bytes:
    """Returns the bytes that are there, without waiting for `size` of them."""
    try:
      return super().read(size)
    except KeyboardInterrupt:
      self.interrupted = True
      return b""


def _open(
  source: str | _Pipe, form: str | None
) -> tuple[av.container.InputContainer, av.VideoStream]:
  """Returns an open container and its stream."""
  if form is None and isinstance(source, str) and "://" not in source:
    os.stat(source)  # A missing file has no format either.
    if os.path.isfile(source):
      return open_container(source)
  options = dict(PIXEL_LIMIT)
  if form is None:
    options["format_whitelist"] = LIVE_FORMATS
  try:
    container = av.open(
      source,
      format=form,
      options=options,
      metadata_errors="replace",
      timeout=_PATIENCE if isinstance(source, str) else None,
    )
  except av.ArgumentError as error:
    raise VideoError(
      f"it is no video, or of none of the formats {LIVE_FORMATS}"
    ) from error
  try:
    return container, choose_stream(container)
  except VideoError:
    container.close()
    raise
