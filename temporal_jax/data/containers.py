"""Opening the container of a video file."""

import contextlib
import io
import os

import av
from av.stream import Discard, Disposition

from temporal_jax.data.cut_off import declared_length
from temporal_jax.data.pictures import VideoError

# Demuxers of FFmpeg that are allowed: neither pictures nor play lists, which
# name other files.
FORMATS = (
  "asf,avi,flv,gif,h264,hevc,ivf,m4v,matroska,mov,mpeg,mpegts,mpegvideo,ogg"
)


def open_container(
  video: bytes | str | os.PathLike,
) -> tuple[av.container.InputContainer, av.VideoStream]:
  """Opens a video file.

  Args:
    video: The file's bytes or its path.

  Returns:
    The container, which the caller closes, and its first stream of pictures
    that move. No other stream is read from the file.

  Raises:
    VideoError: If the file is empty, cut off, no video, or its codec unknown.
    av.FFmpegError: If it cannot be opened.
    OSError: If it cannot be read.
  """
  file = io.BytesIO(video) if isinstance(video, bytes) else os.fspath(video)
  _check_length(file)
  try:
    container = av.open(
      file, options={"format_whitelist": FORMATS}, metadata_errors="replace"
    )
  except av.ArgumentError as error:
    raise VideoError(
      f"the file is no video, or of none of the formats {FORMATS}"
    ) from error
  try:
    return container, choose_stream(container)
  except VideoError:
    container.close()
    raise


def _check_length(file: io.BytesIO | str) -> None:
  """Raises VideoError if a file is empty or its end is missing."""
  if isinstance(file, str) and not os.path.isfile(file):
    return  # FFmpeg says what is wrong.
  in_memory = isinstance(file, io.BytesIO)
  with contextlib.nullcontext(file) if in_memory else open(file, "rb") as held:
    length = held.seek(0, io.SEEK_END)
    declared = declared_length(held)
    held.seek(0)
  if not length:
    raise VideoError("the file is empty")
  if declared > length:
    raise VideoError(
      f"the file is cut off: {length} of at least {declared} bytes are there"
    )


def choose_stream(
  container: av.container.InputContainer,
) -> av.VideoStream:
  """Returns the stream to read, and keeps the others from being read.

  Raises:
    VideoError: If there is none, or its codec is unknown.
  """
  streams = [
    stream
    for stream in container.streams.video
    if not stream.disposition & Disposition.attached_pic  # Of a song's cover.
  ]
  if not streams:
    raise VideoError("the file has no video stream")
  chosen = streams[0]
  if chosen.codec_context is None:
    raise VideoError("the codec of the video is unknown")
  for stream in container.streams:
    if stream is not chosen:
      stream.discard = Discard.all
  return chosen
