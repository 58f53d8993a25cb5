"""Decoding of files with wrong keyframe marks and packets."""

import fractions
import io

import av
import numpy as np
import pytest

from temporal_jax.data.video.decoded_frames import DecodedIndex
from temporal_jax.data.video.decoding import VideoReader
from temporal_jax.data.video.timed_frames import TimedIndex
from tests.support.interlaced_videos import encode_fields
from tests.support.videos import MPEG, decode_in_order, make_video

COUNT = 30
X264 = "open-gop=1:scenecut=0:log-level=none"
X265 = "log-level=none:pools=none:frame-threads=1:keyint=8:scenecut=0:b-adapt=0"
# Codecs whose groups of pictures are open: B-frames before a keyframe refer to
# the group before it.
OPEN_GROUPS = {
  "libx264": {"g": "8", "bf": "2", "b_strategy": "0", "x264-params": X264},
  "libx265": {"x265-params": f"{X265}:bframes=2:open-gop=1"},
  "mpeg2video": MPEG | {"bf": "2"},
}


@pytest.fixture(scope="module")
def frames():
  """Noisy frames (COUNT, 64, 64, 3), so that every one is another."""
  rng = np.random.default_rng(0)
  steps = np.linspace(30, 220, COUNT)[:, None, None, None]
  noise = rng.integers(-8, 9, (COUNT, 64, 64, 3))
  return (steps + noise).astype(np.uint8)


def assert_exact(video):
  """Compares each frame by a reader of its own, and all, with the right ones.

  Returns the kind of index that the file needed.
  """
  want = decode_in_order(video)
  for number, frame in enumerate(want):
    with VideoReader(video) as reader:
      assert reader.num_frames == len(want)
      np.testing.assert_array_equal(reader.read([number])[0], frame)
  with VideoReader(video) as reader:
    np.testing.assert_array_equal(reader.read(range(len(want))), want)
    assert sorted(set(reader.times)) == reader.times
    return reader.index


def copy_packets(video, form, *, first=0, keyframes=None):
  """Copies packets from the `first` on; `keyframes` are those marked."""
  file = io.BytesIO()
  with (
    av.open(io.BytesIO(video)) as source,
    av.open(file, "w", format=form) as target,
  ):
    stream = source.streams.video[0]
    copied = target.add_stream_from_template(stream)
    packets = [packet for packet in source.demux(stream) if packet.size]
    for number, packet in enumerate(packets[first:]):
      packet.stream = copied
      if keyframes is not None:
        packet.is_keyframe = number in keyframes
      target.mux(packet)
  return file.getvalue()


@pytest.mark.parametrize("first", [2, 8])
@pytest.mark.parametrize("form", ["mpegts", "matroska"])
@pytest.mark.parametrize("codec", OPEN_GROUPS)
def test_what_refers_to_what_was_cut_away_is_no_frame(codec, form, first, frames):
  how = {"codec": codec, "options": OPEN_GROUPS[codec]}
  video = make_video(frames, form="mpegts", **how)
  assert_exact(copy_packets(video, form, first=first))


def test_a_stream_cut_before_a_keyframe_is_not_decoded_to_index_it(frames):
  how = {"options": {"g": "8", "bf": "2", "sc_threshold": "0"}}
  video = make_video(frames, form="mpegts", **how)
  index = assert_exact(copy_packets(video, "mpegts", first=3))
  assert isinstance(index, TimedIndex)
  assert index.num_left_out == 5


@pytest.mark.parametrize("keyframes", [(), (1, 9, 17), (8,)])
@pytest.mark.parametrize("form", ["mp4", "mov", "matroska"])
@pytest.mark.parametrize(
  ("codec", "options"),
  [("libx265", OPEN_GROUPS["libx265"]), ("mpeg4", MPEG | {"bf": "0"})],
)
def test_keyframes_that_are_not_marked(codec, options, form, keyframes, frames):
  video = make_video(frames, codec=codec, form="mp4", options=options)
  assert len(decode_in_order(video)) == COUNT
  assert_exact(copy_packets(video, form, keyframes=keyframes))


@pytest.mark.parametrize(
  "form", ["mp4", "mov", "matroska", "mpegts", "mpeg", "flv", "h264"]
)
def test_two_fields_are_one_frame(form):
  rng = np.random.default_rng(1)
  noise = rng.integers(-8, 9, (16, 64, 64))
  lumas = (np.linspace(30, 220, 16)[:, None, None] + noise).astype(np.uint8)
  packets, keyframes = encode_fields(lumas, group=8)
  video = b"".join(packets)
  if form != "h264":
    file = io.BytesIO()
    with av.open(file, "w", format=form) as container:
      stream = container.add_stream("h264", rate=30)
      stream.height = stream.width = 64
      stream.pix_fmt = "yuv420p"
      for number, content in enumerate(packets):
        packet = av.Packet(content)
        packet.stream, packet.is_keyframe = stream, keyframes[number]
        packet.pts = packet.dts = number
        packet.time_base = fractions.Fraction(1, 60)
        container.mux(packet)
    video = file.getvalue()
  index = assert_exact(video)
  assert isinstance(index, DecodedIndex)
  assert len(index.ticks) == 16
  with av.open(io.BytesIO(video)) as container:
    for frame, luma in zip(container.decode(video=0), lumas, strict=True):
      np.testing.assert_array_equal(frame.to_ndarray()[:64], luma)


def test_fields_of_one_frame_keep_its_time():
  lumas = np.full((6, 32, 32), 100, np.uint8)
  packets, keyframes = encode_fields(lumas, group=6)
  file = io.BytesIO()
  with av.open(file, "w", format="mp4") as container:
    stream = container.add_stream("h264", rate=30)
    stream.height = stream.width = 32
    stream.pix_fmt = "yuv420p"
    for number, content in enumerate(packets):
      packet = av.Packet(content)
      packet.stream, packet.is_keyframe = stream, keyframes[number]
      packet.pts = packet.dts = number + 10 * (number > 5)
      packet.time_base = fractions.Fraction(1, 60)
      container.mux(packet)
  with VideoReader(file.getvalue()) as reader:
    ticks = np.array([0, 2, 4, 16, 18, 20])
    np.testing.assert_allclose(reader.times, ticks / 60, atol=1e-4)


@pytest.mark.parametrize("interlaced", ["tff=1", "fake-interlaced=1"])
def test_interlaced_frames_in_one_packet_need_no_decoding(interlaced, frames):
  options = {"g": "8", "x264-params": f"{interlaced}:log-level=none"}
  for pixels in ("yuv420p", "yuv444p"):
    index = assert_exact(make_video(frames, pixels=pixels, options=options))
    assert isinstance(index, TimedIndex)


def test_scaling_lists_before_the_flag_of_fields_are_read(frames):
  options = {"x264-params": "tff=1:cqm=jvt:log-level=none"}
  assert isinstance(assert_exact(make_video(frames, options=options)), TimedIndex)
