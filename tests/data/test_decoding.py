import fractions
import io
import struct

import av
import numpy as np
import PIL.Image
import pytest

from temporal_jax.data.decoding import VideoError, VideoReader
from temporal_jax.data.encoding import encode_mp4
from tests.conftest import frame_numbers, make_frames


def _encode(frames, times=None, **options):
  """An mp4 with chosen time stamps and x264 options."""
  file = io.BytesIO()
  with av.open(file, "w", format="mp4") as container:
    stream = container.add_stream("libx264", rate=30, options=options)
    stream.height, stream.width = frames.shape[1:3]
    stream.pix_fmt = "yuv420p"
    for i, array in enumerate(frames):
      frame = av.VideoFrame.from_ndarray(array, "rgb24")
      frame.pts = i if times is None else times[i]
      frame.time_base = fractions.Fraction(1, 30)
      container.mux(stream.encode(frame))
    container.mux(stream.encode())
  return file.getvalue()


def _rotated(video, degrees):
  """Writes a rotation into the track header of an mp4."""
  box = video.index(b"tkhd")
  matrix = box + 4 + 40  # After version, times, layer and volume.
  cos, sin = {90: (0, 1), 180: (-1, 0), 270: (0, -1)}[degrees]
  one = 1 << 16
  fixed = struct.pack(">6i", cos * one, sin * one, 0, -sin * one, cos * one, 0)
  return video[:matrix] + fixed + video[matrix + len(fixed) :]


@pytest.mark.parametrize(
  "options",
  [
    {"g": "1"},
    {"g": "4"},
    {"g": "250", "bf": "0"},
    {"g": "8", "bf": "3", "b_strategy": "0"},
  ],
)
def test_frames_are_exact(options):
  video = _encode(make_frames(24), **options)
  for wanted in ([0], [23], [5, 6, 20], [22, 3, 3, 11], range(24)):
    with VideoReader(video) as reader:
      assert reader.num_frames == 24
      assert frame_numbers(reader.read(list(wanted))) == list(wanted)


def test_variable_frame_rate_is_exact():
  times = np.cumsum([0, 1, 5, 1, 1, 9, 2, 1, 1, 30, 1, 1])
  with VideoReader(_encode(make_frames(12), times, g="5")) as reader:
    assert frame_numbers(reader.read([1, 4, 9, 11])) == [1, 4, 9, 11]


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
  video = _rotated(encode_mp4(frames, fps=10), degrees)
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
  video = _rotated(video, degrees) if degrees else video
  with VideoReader(video) as reader:
    got, size = reader.read_stretched([2, 0, 2], (20, 16))
  upright = np.rot90(frames[0], k=-(degrees // 90))
  want = PIL.Image.fromarray(upright).resize(
    (16, 20), PIL.Image.Resampling.BICUBIC
  )
  assert got.shape == (3, 20, 16, 3)
  assert size == upright.shape[:2]
  assert np.abs(got.astype(int) - np.asarray(want)).max() < 8


def test_missing_frames_are_refused():
  video = encode_mp4(make_frames(4), fps=10)
  with (
    VideoReader(video) as reader,
    pytest.raises(IndexError, match=r"\[4\] are not in \[0, 4\)"),
  ):
    reader.read([4])


def _sound_only():
  file = io.BytesIO()
  with av.open(file, "w", format="wav") as container:
    stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
    frame = av.AudioFrame.from_ndarray(
      np.zeros((1, 800), np.int16), format="s16", layout="mono"
    )
    frame.sample_rate = 8000
    container.mux(stream.encode(frame))
    container.mux(stream.encode())
  return file.getvalue()


GOOD = encode_mp4(make_frames(30), fps=10)


@pytest.mark.parametrize(
  ("video", "message"),
  [
    (b"", "empty"),
    (b"not a video at all" * 50, "InvalidData"),
    (GOOD[: len(GOOD) // 2], "InvalidData"),
    (_sound_only(), "no video stream"),
    ("/nowhere/clip.mp4", "does not exist"),
  ],
)
def test_bad_files_say_why(video, message):
  with pytest.raises(VideoError, match=message):
    VideoReader(video)


def test_truncated_file_with_its_index_in_front_is_refused(tmp_path):
  path = tmp_path / "clip.mp4"
  options = {"movflags": "+faststart"}
  with av.open(str(path), "w", options=options) as container:
    stream = container.add_stream("libx264", rate=10, options={"g": "1"})
    stream.width = stream.height = 32
    stream.pix_fmt = "yuv420p"
    for frame in make_frames(30):
      container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, "rgb24")))
    container.mux(stream.encode())
  video = path.read_bytes()
  with VideoReader(video) as reader:
    assert reader.num_frames == 30
  with pytest.raises(VideoError, match="of 30 frames"):
    VideoReader(video[: len(video) * 3 // 4])


def test_empty_file_on_disk_says_so(tmp_path):
  path = tmp_path / "empty.mp4"
  path.touch()
  with pytest.raises(VideoError, match="empty"):
    VideoReader(path)
