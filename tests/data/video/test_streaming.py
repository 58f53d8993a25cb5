import itertools

import numpy as np
import pytest

from temporal_jax.data.video.decoding import VideoReader
from temporal_jax.data.video.pictures import VideoError
from tests.conftest import frame_numbers, make_frames
from tests.support.videos import (
  B_FRAMES,
  WHOLE,
  blank_packets,
  make_rotated,
  make_sizes,
  make_trimmed,
  make_video,
)

COUNT = 24
GROUPS = WHOLE | {"g": "8", "bf": "0"}
OPEN = {"x264-params": "open-gop=1:log-level=none"}
REFRESH = {"x264-params": "intra-refresh=1:log-level=none"}


def _frames():
  frames = make_frames(COUNT, size=64)
  noise = np.random.default_rng(0).integers(-20, 21, frames.shape)
  return (frames + noise).astype(np.uint8)


@pytest.mark.parametrize(
  "layout",
  [
    {"options": {"g": "1"}},
    {"options": B_FRAMES},
    {"options": B_FRAMES | OPEN},
    {"options": WHOLE | {"g": "6"} | REFRESH},
    {"options": B_FRAMES, "form": "mpegts"},
    {"options": B_FRAMES, "form": "matroska"},
    {"options": {"g": "12"}, "codec": "libvpx", "form": "webm"},
  ],
)
def test_a_stream_holds_every_frame_in_order(layout):
  with VideoReader(make_video(_frames(), **layout)) as reader:
    every = np.stack(list(reader.stream(range(COUNT))))
    assert frame_numbers(every) == list(range(COUNT))
    np.testing.assert_array_equal(every, reader.read(range(COUNT)))
    # Frames before, between and behind may be left out, others repeated.
    wanted = [2, 5, 5, 6, 17]
    some = np.stack(list(reader.stream(wanted, short_side=24)))
    np.testing.assert_array_equal(some, reader.read(wanted, short_side=24))


def test_frames_of_a_stream_are_resized_as_others():
  turned = make_rotated(make_video(_frames()[:4, :32]), 90)
  sizes = make_sizes(make_frames(6, size=32), make_frames(6, size=64, start=6))
  for video, count in ((turned, 4), (sizes, 12)):
    with VideoReader(video) as reader:
      for pictures, want in (
        (reader.stream(range(count)), reader.read(range(count))),
        (
          reader.stream(range(count), stretch=(20, 16)),
          reader.read_stretched(range(count), (20, 16))[0],
        ),
      ):
        np.testing.assert_array_equal(np.stack(list(pictures)), want)


@pytest.mark.parametrize("options", [GROUPS, B_FRAMES])
def test_what_an_edit_list_hides_is_left_out(options):
  video = make_trimmed(make_video(make_frames(COUNT), options=options), 5, 10)
  with VideoReader(video) as reader:
    numbers = frame_numbers(np.stack(list(reader.stream(range(10)))))
    assert numbers == list(range(5, 15))


def test_frames_come_until_the_damage():
  video = blank_packets(make_video(_frames(), options=GROUPS), {16, 17})
  with VideoReader(video) as reader:
    come = []
    with pytest.raises(VideoError):
      come.extend(reader.stream(range(COUNT)))
  assert frame_numbers(np.stack(come)) == list(range(16))


@pytest.mark.parametrize(
  ("indices", "error", "message"),
  [
    ([0, 24], IndexError, r"\[24\] are not in \[0, 24\)"),
    ([3, 5, 4], ValueError, "must ascend, got 4 after 5"),
  ],
)
def test_what_cannot_be_streamed_is_refused(indices, error, message):
  with (
    VideoReader(make_video(make_frames(COUNT))) as reader,
    pytest.raises(error, match=message),
  ):
    list(reader.stream(indices))


def test_time_counts_for_each_frame(monkeypatch):
  video = make_video(make_frames(COUNT), options=GROUPS)
  with VideoReader(video, time_limit=12.0) as reader:
    seconds = itertools.count()  # One goes by whenever somebody looks.
    monkeypatch.setattr("time.monotonic", lambda: next(seconds))
    assert len(list(reader.stream(range(COUNT)))) == COUNT
    assert next(seconds) > COUNT
    hours = itertools.count(step=3600.0)
    monkeypatch.setattr("time.monotonic", lambda: next(hours))
    with pytest.raises(VideoError, match=r"more than 12.0 s"):
      list(reader.stream(range(COUNT)))


@pytest.mark.parametrize("form", ["mp4", "matroska", "mpegts"])
def test_times_are_those_of_the_frames(form):
  shown = np.cumsum([4, 1, 5, 1, 1, 9, 2, 1])
  video = make_video(make_frames(8), form=form, times=shown, options=B_FRAMES)
  with VideoReader(video) as reader:
    assert reader.times[0] == 0
    want = (shown - shown[0]) / 30
    np.testing.assert_allclose(reader.times, want, atol=1e-3)
    assert all(type(seconds) is float for seconds in reader.times)
  with VideoReader(make_video(make_frames(1))) as reader:
    assert reader.times == [0.0]
