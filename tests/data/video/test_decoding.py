import itertools

import av
import numpy as np
import PIL.Image
import pytest

from temporal_jax.data.video.decoding import VideoReader
from temporal_jax.data.video.encoding import encode_mp4
from temporal_jax.data.video.pictures import VideoError
from tests.conftest import frame_numbers, make_frames
from tests.support.videos import (
  B_FRAMES,
  WHOLE,
  blank_packets,
  make_rotated,
  make_sizes,
  make_video,
)


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
  want = PIL.Image.fromarray(upright).resize((16, 20), PIL.Image.Resampling.BICUBIC)
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
  assert len(opened) >= 3
  for container in opened:
    with pytest.raises(AssertionError, match="not open"):
      container.seek(0)
