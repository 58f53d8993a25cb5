"""Makes video files of many layouts, frame by frame."""

import fractions
import io
import struct
import tempfile
import zlib

import av
import numpy as np
import PIL.Image
from av.stream import Disposition

from tests.conftest import make_frames

# Options for x264: else a step of the brightness would make a keyframe.
WHOLE = {"sc_threshold": "0"}
B_FRAMES = WHOLE | {"g": "8", "bf": "3", "b_strategy": "0"}

# Options of MPEG-1, -2 and -4 alike.
MPEG = {"g": "8", "sc_threshold": "1000000000", "qmax": "4"}


class Listed(list):
  """A source of videos that are given."""

  class_names = ("a", "b")
  multi_label = False

  def __init__(self, videos: dict):
    super().__init__(
      {"id": name, "label": 0, "video": video} for name, video in videos.items()
    )


def make_video(
  frames: np.ndarray,
  *,
  codec: str = "libx264",
  form: str = "mp4",
  pixels: str = "yuv420p",
  times: np.ndarray | None = None,
  options: dict[str, str] | None = None,
  container_options: dict[str, str] | None = None,
) -> bytes:
  """Returns a file of frames (T, H, W, 3), shown at times in 1/30 s."""
  with (
    # FFmpeg reads it again to move what is needed to its front.
    tempfile.NamedTemporaryFile() as file,
    av.open(file.name, "w", format=form, options=container_options) as container,
  ):
    stream = container.add_stream(codec, rate=30, options=options or {})
    stream.height, stream.width = frames.shape[1:3]
    stream.pix_fmt = pixels
    stream.codec_context.thread_count = 1
    for i, array in enumerate(frames):
      frame = av.VideoFrame.from_ndarray(array, "rgb24")
      frame.pts = i if times is None else int(times[i])
      frame.time_base = fractions.Fraction(1, 30)
      container.mux(stream.encode(frame))
    container.mux(stream.encode())
    container.close()
    return file.read()


def make_rotated(video: bytes, degrees: int) -> bytes:
  """Writes a rotation into the track header of an mp4."""
  cos, sin = {90: (0, 1), 180: (-1, 0), 270: (0, -1)}[degrees]
  return make_displayed(video, (cos, sin, -sin, cos))


def make_displayed(video: bytes, matrix: tuple[float, float, float, float]) -> bytes:
  """Writes a display matrix (a, b, c, d) into the track header of an mp4."""
  place = video.index(b"tkhd") + 4 + 40  # After version, times and volume.
  a, b, c, d = (round(value * (1 << 16)) for value in matrix)
  fixed = struct.pack(">6i", a, b, 0, c, d, 0)
  return video[:place] + fixed + video[place + len(fixed) :]


def make_packets(*packets: bytes, codec: str = "mjpeg", size: tuple[int, int]) -> bytes:
  """Returns a QuickTime file of encoded pictures; it declares a size (H, W)."""
  file = io.BytesIO()
  with av.open(file, "w", format="mov") as container:
    stream = container.add_stream(codec, rate=10)
    stream.height, stream.width = size
    stream.pix_fmt = {"mjpeg": "yuvj420p", "png": "rgb24"}[codec]
    for number, content in enumerate(packets):
      packet = av.Packet(content)
      packet.stream, packet.time_base = stream, fractions.Fraction(1, 10)
      packet.pts = packet.dts = number
      packet.is_keyframe = True
      container.mux(packet)
  return file.getvalue()


def make_blank_png(height: int, width: int) -> bytes:
  """Returns a black PNG of one bit a pixel, of some kilobytes at any size."""
  rows = bytes(height * (1 + -(-width // 8)))
  header = struct.pack(">2I5B", width, height, 1, 0, 0, 0, 0)
  parts = (
    (b"IHDR", header),
    (b"IDAT", zlib.compress(rows, 9)),
    (b"IEND", b""),
  )
  return b"\x89PNG\r\n\x1a\n" + b"".join(
    struct.pack(">I", len(content))
    + kind
    + content
    + struct.pack(">I", zlib.crc32(kind + content))
    for kind, content in parts
  )


def make_trimmed(video: bytes, start: int, count: int) -> bytes:
  """Has the edit list of an mp4 of 30 frames per second show only some."""
  scales = [
    struct.unpack_from(">I", video, video.index(box) + 16)[0]
    for box in (b"mvhd", b"mdhd")
  ]
  entry = video.index(b"elst") + 12  # After version and number of entries.
  (begin,) = struct.unpack_from(">i", video, entry + 4)
  new = struct.pack(">Ii", count * scales[0] // 30, begin + start * scales[1] // 30)
  return video[:entry] + new + video[entry + len(new) :]


def make_sizes(*videos: np.ndarray) -> bytes:
  """Returns a stream whose size changes from one part to the next."""
  parts, shown = [], 0
  for frames in videos:
    times = shown + np.arange(len(frames))
    part = make_video(frames, form="mpegts", times=times, options={"bf": "0"})
    parts.append(part)
    shown += len(frames)
  return b"".join(parts)


def make_sound(*, cover: bool = False) -> bytes:
  """Returns an mp4 with sound alone, or with the picture of a cover."""
  file = io.BytesIO()
  with av.open(file, "w", format="mp4") as container:
    sound = container.add_stream("aac", rate=8000, layout="mono")
    if cover:
      picture = container.add_stream("mjpeg", rate=1)
      picture.height = picture.width = 32
      picture.pix_fmt = "yuvj420p"
      picture.disposition = Disposition.attached_pic
      frame = av.VideoFrame.from_ndarray(make_frames(1)[0], "rgb24")
      container.mux(picture.encode(frame.reformat(format="yuvj420p")))
      container.mux(picture.encode())
    frame = av.AudioFrame.from_ndarray(
      np.zeros((1, 1024), np.float32), format="fltp", layout="mono"
    )
    frame.sample_rate = 8000
    container.mux(sound.encode(frame))
    container.mux(sound.encode())
  return file.getvalue()


def make_picture(array: np.ndarray, form: str = "jpeg") -> bytes:
  """Returns a picture file of (H, W, 3), or of (H, W) in grey."""
  file = io.BytesIO()
  PIL.Image.fromarray(array).save(file, form, quality=95)
  return file.getvalue()


def blank_packets(video: bytes, times: set[int]) -> bytes:
  """Overwrites what frames at some places in time are decoded from."""
  damaged = bytearray(video)
  with av.open(io.BytesIO(video)) as container:
    packets = [p for p in container.demux(video=0) if p.pts is not None]
    shown = sorted(packet.pts for packet in packets)
    for packet in packets:
      if shown.index(packet.pts) in times:
        # The length and the kind of the first unit stay.
        begin, end = packet.pos + 6, packet.pos + packet.size
        damaged[begin:end] = b"\xa5" * (end - begin)
  return bytes(damaged)


def copy_packets(video, form):
  """Returns a video in another container, its packets and times as they are."""
  file = io.BytesIO()
  with (
    av.open(io.BytesIO(video)) as source,
    av.open(file, "w", format=form) as target,
  ):
    stream = source.streams.video[0]
    copied = target.add_stream_from_template(stream)
    for packet in source.demux(stream):
      if packet.size:
        packet.stream = copied
        target.mux(packet)
  return file.getvalue()


def pack_b_frames(frames):
  """Returns an AVI with the packed bitstream of XviD and DivX.

  A P-picture and the B-picture shown before it are in one packet, the next one
  holds a picture that is not coded.
  """
  head = b"\0\0\1\xb6"
  file = io.BytesIO()
  with av.open(file, "w", format="avi") as container:
    stream = container.add_stream(
      "mpeg4", rate=25, options=MPEG | {"bf": "1", "b_strategy": "0"}
    )
    stream.height, stream.width = frames.shape[1:3]
    stream.pix_fmt = "yuv420p"
    stream.codec_context.codec_tag = "DX50"
    encoded = [
      bytes(packet)
      for frame in (*frames, None)
      for packet in stream.encode(
        frame if frame is None else av.VideoFrame.from_ndarray(frame, "rgb24")
      )
    ]
    kinds = [content[content.index(head) + 4] >> 6 for content in encoded]
    chunks = []
    for place, (content, kind) in enumerate(zip(encoded, kinds, strict=True)):
      if kind == 2:  # A B-picture: its packet's place is taken by an empty one.
        chunks.append((head + b"\x50\x3f\x7f", False))
        continue
      if kind == 0:  # User data "packed".
        start = content.index(head)
        note = b"\0\0\1\xb2DivX503b1393p"
        content = content[:start] + note + content[start:]
      if kinds[place + 1 : place + 2] == [2]:
        content += encoded[place + 1]
      chunks.append((content, kind == 0))
    for number, (content, is_keyframe) in enumerate(chunks):
      packet = av.Packet(content)
      packet.stream, packet.is_keyframe = stream, is_keyframe
      packet.pts = packet.dts = number
      packet.time_base = fractions.Fraction(1, 25)
      container.mux(packet)
  return file.getvalue()


def decode_in_order(video):
  """Returns the frames (H, W, 3) that PyAV decodes, from first to last."""
  with av.open(io.BytesIO(video)) as container:
    return [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]
