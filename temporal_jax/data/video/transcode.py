"""Encodes a video anew: smaller, quicker to read, or painted on."""

import pathlib
from collections.abc import Callable
from typing import NamedTuple

import av
import numpy as np

from temporal_jax.data.video.decoding import VideoReader
from temporal_jax.data.video.pictures import (
  Orientation,
  VideoError,
  orientation,
  reason,
)
from temporal_jax.storage import whole_file
from temporal_jax.validation import check_at_least

# Gets a frame (H, W, 3), uint8 RGB, and returns the frame to write.
Paint = Callable[[np.ndarray], np.ndarray]


class Transcoding(NamedTuple):
  """Settings of the encoder.

  Attributes:
    short_side: Pixels of the shorter side, even; smaller videos keep their size
      except for an odd row or column, and with None all do.
    gop: Frames from one keyframe to the next, at most: of a group of pictures
      the frames before a wanted one have to be decoded too.
    crf: Constant rate factor of x264, 0 (lossless) to 51.
  """

  short_side: int | None = 256
  gop: int = 12
  crf: int = 18

  def check(self) -> "Transcoding":
    """Returns itself.

    Raises:
      ValueError: If a number is out of its range.
    """
    side = self.short_side
    if side is not None and (side < 2 or side % 2):
      raise ValueError(f"short_side must be even and positive, or None; got {side}.")
    check_at_least("gop", self.gop, 1)
    if not 0 <= self.crf <= 51:
      raise ValueError(f"crf must be in [0, 51], got {self.crf}.")
    return self


def transcode(
  video: str | pathlib.Path,
  out: str | pathlib.Path,
  how: Transcoding,
  *,
  paint: Paint | None = None,
) -> int:
  """Encodes a video anew as H.264 in mp4, frame by frame at the same times.

  The first frame comes at time 0; pictures are turned the right way up and keep
  the shape of their pixels; sound is left out.

  Args:
    video: The video.
    out: File to write; it appears only when it is complete.
    how: Settings of the encoder.
    paint: Changes the pixels of every frame, in order; not their number.

  Returns:
    Frames written.

  Raises:
    VideoError: If a frame cannot be read or written.
    ValueError: If a number of `how` is out of its range.
  """
  how.check()
  out = pathlib.Path(out)
  out.parent.mkdir(parents=True, exist_ok=True)
  try:
    with whole_file(out) as partial:
      return _write(video, partial, how, paint)
  except (av.FFmpegError, OSError) as error:
    raise VideoError(reason(error)) from error


def _write(
  video: str | pathlib.Path,
  file: pathlib.Path,
  how: Transcoding,
  paint: Paint | None,
) -> int:
  """Encodes a video anew and counts its frames in the file."""
  with (
    VideoReader(video) as source,
    av.open(str(file), "w", format="mp4") as target,
  ):
    _encode(source, target, how, paint)
    written = source.num_frames
  with VideoReader(file) as reader:
    if reader.num_frames != written:
      raise VideoError(f"{reader.num_frames} of {written} frames are written")
  return written


def _encode(
  reader: VideoReader,
  target: av.container.OutputContainer,
  how: Transcoding,
  paint: Paint | None,
) -> None:
  """Writes all frames of a video to a container."""
  ticks, time_base = reader.index.ticks, reader.index.time_base
  encoder = target.add_stream(
    "libx264",
    rate=round(reader.fps or 1) or 1,  # Each frame has its own time.
    options={"crf": str(how.crf), "g": str(how.gop)},
  )
  encoder.pix_fmt = "yuv420p"
  encoder.codec_context.time_base = time_base
  encoder.codec_context.thread_count = 1
  begun = False
  for tick, frame in zip(ticks, reader.frames(), strict=True):
    picture = _turned(frame)
    if not begun:
      encoder.height, encoder.width = _size(picture, how.short_side)
      ratio = reader.pixel_ratio
      if orientation(frame).transposed:
        ratio = 1 / ratio
      encoder.codec_context.sample_aspect_ratio = ratio
      begun = True
    picture = picture.reformat(
      encoder.width,
      encoder.height,
      "rgb24" if paint else "yuv420p",
      interpolation="BICUBIC",
    )
    if paint:
      pixels = paint(picture.to_ndarray())
      picture = av.VideoFrame.from_ndarray(pixels, "rgb24")
    picture.pts, picture.time_base = tick - ticks[0], time_base
    target.mux(encoder.encode(picture))
  target.mux(encoder.encode())


def _turned(frame: av.VideoFrame) -> av.VideoFrame:
  """Returns the frame the right way up."""
  shown = orientation(frame)
  if shown == Orientation():
    return frame
  pixels = shown.apply(frame.to_ndarray(format="rgb24"))
  return av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), "rgb24")


def _size(frame: av.VideoFrame, short_side: int | None) -> tuple[int, int]:
  """Returns the even height and width of a resized frame."""
  shorter = min(frame.height, frame.width)
  scale = min((short_side or shorter) / shorter, 1.0)
  height, width = (
    max(2, 2 * round(side * scale / 2)) for side in (frame.height, frame.width)
  )
  return height, width
