"""Opening the container of a video file."""

import io
import os
import time

import av
from av.stream import Discard, Disposition

from temporal_jax.data.listing.regular_files import open_regular
from temporal_jax.data.video.file_header import check_header
from temporal_jax.data.video.pictures import (
  MAX_PIXELS,
  PIXEL_LIMIT,
  VideoError,
  check_pixels,
)

# Demuxers of FFmpeg that are allowed: neither pictures nor play lists, which
# name other files.
FORMATS = "asf,avi,flv,gif,h264,hevc,ivf,m4v,matroska,mov,mpeg,mpegts,mpegvideo,ogg"


def open_container(
  video: bytes | str | os.PathLike, *, time_limit: float | None = None
) -> tuple[av.container.InputContainer, av.VideoStream]:
  """Opens a video file.

  Args:
    video: The file's bytes or its path.
    time_limit: Seconds that opening it, and later each packet, may take; None
      is no limit. What is in memory, as bytes, is read without interruption.

  Returns:
    The container, which the caller closes, and its first stream of pictures
    that move. No other stream is read from the file.

  Raises:
    VideoError: If the path is an address or names a folder, a pipe, a socket
      or a device; if the file is empty, cut off, no video, or asks for more
      memory than its size or `MAX_PIXELS` allows; if its codec is unknown.
    av.FFmpegError: If it cannot be opened.
    OSError: If it cannot be read.
  """
  options = {"format_whitelist": FORMATS, **PIXEL_LIMIT}
  if isinstance(video, bytes):
    file = io.BytesIO(video)
    check_header(file)
    file.seek(0)
    container = _open(file, options, time_limit)
  else:
    with open_regular(video) as opened:
      check_header(opened)
      # FFmpeg gets the file itself, and no name that it could take for an
      # address; it reads on from where the descriptor is, past any buffer.
      os.lseek(opened.fileno(), 0, os.SEEK_SET)
      options["fd"] = str(opened.fileno())
      container = _open("fd:", options, time_limit)
  try:
    stream = choose_stream(container)
    if not (stream.codec_context.height and stream.codec_context.width):
      raise VideoError(
        f"the size of the frames is unknown, or more than {MAX_PIXELS:,} pixels"
      )
    return container, stream
  except VideoError:
    container.close()
    raise


def _open(
  file: io.BytesIO | str, options: dict[str, str], time_limit: float | None
) -> av.container.InputContainer:
  """Opens a checked file."""
  begun = time.monotonic()
  try:
    return av.open(file, options=options, metadata_errors="replace", timeout=time_limit)
  except av.FFmpegError as error:
    # FFmpeg's message at an interruption depends on its work at that moment.
    if time_limit is not None and time.monotonic() - begun >= time_limit:
      raise VideoError(f"opening takes more than {time_limit} s") from error
    if isinstance(error, av.ArgumentError):
      raise VideoError(
        f"the file is no video, or of none of the formats {FORMATS}"
      ) from error
    raise


def choose_stream(
  container: av.container.InputContainer,
) -> av.VideoStream:
  """Returns the stream to read, and keeps the others from being read.

  Its decoder allocates no frame larger than `MAX_PIXELS`.

  Raises:
    VideoError: If there is none, its codec is unknown, or its frames have more
      than `MAX_PIXELS`.
  """
  streams = [
    stream
    for stream in container.streams.video
    if not stream.disposition & Disposition.attached_pic  # A song's cover is no video.
  ]
  if not streams:
    raise VideoError("the file has no video stream")
  chosen = streams[0]
  if chosen.codec_context is None:
    raise VideoError("the codec of the video is unknown")
  check_pixels(chosen.codec_context.height, chosen.codec_context.width)
  chosen.codec_context.options = dict(PIXEL_LIMIT)
  for stream in container.streams:
    if stream is not chosen:
      stream.discard = Discard.all
  return chosen
