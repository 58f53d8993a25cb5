import itertools

import numpy as np
import pytest

from temporal_jax import inference
from temporal_jax.data import VideoError, VideoReader
from temporal_jax.data.views.eval_protocol import EvalProtocol
from tests.conftest import make_frames
from tests.support.tiny_predictor import save_tiny
from tests.support.videos import WHOLE, blank_packets, make_video


class _Numbered:
  """A reader of frames of one pixel that hold their number."""

  def __init__(self, times):
    self.times = list(times)

  def stream(self, indices, *, short_side, stretch):
    for index in indices:
      yield np.full((1, 1, 3), index, np.uint8)


def _windows(times, frames, **options):
  protocol = EvalProtocol(num_frames=frames, crop_size=1)
  return inference.SlidingWindows(_Numbered(times), protocol, **options)


def _numbers(windows):
  return [clip.frames[:, 0, 0, 0].tolist() for clip in windows]


@pytest.mark.parametrize(
  ("count", "window", "stride", "starts"),
  [
    (10, 4, 3, [0, 3, 6]),
    (11, 4, 3, [0, 3, 6, 7]),
    (10, 4, 4, [0, 4, 6]),
    (4, 4, 9, [0]),
    (10, 4, 6, [0, 6]),
    (11, 4, 6, [0, 6]),  # The next one would start behind the end.
    (13, 4, 6, [0, 6, 9]),
  ],
)
def test_windows_start_where_they_should(count, window, stride, starts):
  windows = _windows(np.arange(count), window, window=window, stride=stride)
  want = [list(range(start, start + window)) for start in starts]
  assert _numbers(windows) == want
  assert len(windows) == len(starts)


def test_every_frame_is_seen_and_the_end_once():
  for count, window in itertools.product(range(1, 15), range(1, 6)):
    for stride in range(1, window + 1):
      windows = _windows(np.arange(count), window, window=window, stride=stride)
      numbers = _numbers(windows)
      assert set(itertools.chain(*numbers)) == set(range(count))
      assert [one[-1] for one in numbers].count(count - 1) == 1


def test_a_short_video_repeats_its_last_frame():
  (clip,) = _windows([0, 0.5, 2], 5, window=5, stride=2)
  assert clip.frames[:, 0, 0, 0].tolist() == [0, 1, 2, 2, 2]
  assert (clip.start, clip.stop) == (0, 3.5)
  (clip,) = _windows([0.0], 3, window=8, stride=2, rate=5)
  assert clip.frames.max() == 0
  assert (clip.start, clip.stop) == (0, 0)


def test_a_longer_window_shows_some_of_its_frames():
  windows = _windows(np.arange(12), 4, window=8, stride=4)
  assert _numbers(windows) == [[1, 3, 5, 7], [5, 7, 9, 11]]


def test_seconds_are_those_of_the_frames():
  times = [0, 0.1, 0.5, 0.6, 2.0, 2.25]
  windows = _windows(times, 2, window=2, stride=2)
  spans = [(clip.start, clip.stop) for clip in windows]
  assert spans == [(0, 0.5), (0.5, 2.0), (2.0, 2.5)]
  assert windows.duration == 2.5


@pytest.mark.parametrize("rate", [0.5, 3, 29.97, 60])
def test_a_rate_takes_what_is_on_the_screen(rate):
  rng = np.random.default_rng(0)
  times = np.append(0, np.cumsum(rng.integers(1, 60, 39) / 60))
  windows = _windows(times, 1, window=1, stride=1, rate=rate)
  seen = [(clip.start, clip.frames[0, 0, 0, 0]) for clip in windows]
  end = times[-1] + times[-1] - times[-2]
  want, tick = [], 0
  while tick / rate < end - 1.5e-3:
    shown = max(i for i, time in enumerate(times) if time <= tick / rate + 1.5e-3)
    want.append((tick / rate, shown))
    tick += 1
  assert seen == want
  assert next(reversed(list(windows))).stop == pytest.approx(end)


@pytest.mark.parametrize("decimals", [3, 9])
@pytest.mark.parametrize("begin", [0, 1.0006])
def test_the_own_rate_of_a_video_takes_every_frame(decimals, begin):
  times = np.round(begin + np.arange(1000) / 30, decimals)
  times -= times[0]
  windows = _windows(times, 1000, window=1000, stride=1, rate=30)
  (numbers,) = (clip.frames[:, 0, 0, 0] for clip in windows)
  np.testing.assert_array_equal(numbers, np.arange(1000).astype(np.uint8))


@pytest.mark.parametrize(
  ("options", "message"),
  [
    ({"window": 3, "stride": 1}, "window of 3 .* shorter .* 4 frames"),
    ({"window": 0, "stride": 1}, "window must be .* at least 1, got 0"),
    ({"window": 4, "stride": 0}, "stride must be .* at least 1, got 0"),
    ({"window": 4, "stride": 1, "rate": 0.0}, r"rate must be .*, got 0\.0"),
    ({"window": 4, "stride": 1, "rate": float("nan")}, "rate .*, got nan"),
  ],
)
def test_wrong_numbers_are_refused(options, message):
  with pytest.raises(ValueError, match=message):
    _windows([0.0], 4, **options)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
  directory = tmp_path_factory.mktemp("network") / "model"
  return inference.load_model(
    save_tiny(directory, EvalProtocol(num_frames=4, crop_size=16, short_side=20))
  )


@pytest.fixture(scope="module")
def classifier(saved):
  return inference.Classifier(saved, batch_size=3)


@pytest.fixture(scope="module")
def video():
  noise = np.random.default_rng(0).integers(-20, 90, (23, 40, 60, 3))
  frames = make_frames(23, size=60)[:, :40] // 2 + 20 + noise
  times = np.cumsum(np.random.default_rng(1).integers(1, 9, 23))
  options = WHOLE | {"g": "8", "bf": "0"}
  return make_video(frames.astype(np.uint8), times=times, options=options)


def test_probabilities_are_those_of_clips_cut_by_hand(saved, classifier, video):
  with VideoReader(video) as reader:
    windows = inference.SlidingWindows(reader, saved.protocol, window=8, stride=5)
    got = list(inference.score_windows(classifier, windows))
    frames, times = reader.read(range(23), short_side=20), reader.times
  middle = frames[:, 2:18, 7:23]  # Frames are 20 x 30.
  starts = (0, 5, 10, 15)
  clips = np.stack([middle[start + 1 : start + 8 : 2] for start in starts])
  want = classifier(clips)
  np.testing.assert_allclose([one.probabilities for one in got], want, 1e-5)
  assert np.ptp(want, axis=0).max() > 0.01  # Clips can be told apart.
  assert [one.start for one in got] == [times[start] for start in starts]
  ends = [*(times[start + 8] for start in starts[:3]), windows.duration]
  assert [one.stop for one in got] == ends
  assert classifier.compilations == 1


def test_windows_before_the_damage_are_scored(saved, classifier, video):
  with VideoReader(blank_packets(video, {16, 17})) as reader:
    windows = inference.SlidingWindows(reader, saved.protocol, window=4, stride=4)
    scored = []
    with pytest.raises(VideoError):
      scored.extend(inference.score_windows(classifier, windows))
    assert [one.start for one in scored] == reader.times[:16:4]


def test_one_of_several_tasks_is_told():
  class _Tasks:
    batch_size = 2

    def __call__(self, clips):
      numbers = clips[:, 0, 0, 0, 0].astype(np.float32)
      return {"verb": numbers[:, None] / 9, "noun": 1 - numbers[:, None] / 9}

  windows = _windows(np.arange(3), 1, window=1, stride=1)
  for task, want in (("verb", [0, 1, 2]), ("noun", [9, 8, 7])):
    scored = inference.score_windows(_Tasks(), windows, task=task)
    got = [9 * one.probabilities[0] for one in scored]
    np.testing.assert_allclose(got, want, rtol=1e-6)


def test_the_best_classes_come_first():
  window = inference.Window(0, 1, np.array([0.2, 0.5, 0.3], np.float32))
  (first, p), (second, _) = window.top(("a", "b", "c"), 2)
  assert (first, p, second) == ("b", 0.5, "c")
