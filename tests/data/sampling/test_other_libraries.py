"""Indices of other libraries, by their formulas in torch and plain Python."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
import torch

from temporal_jax.data.sampling import sample_indices

LENGTHS = (1, 2, 3, 7, 8, 9, 31, 64, 65, 66, 100, 251, 300)
COUNTS = (1, 2, 5, 8, 32)
CLIPS = (1, 2, 3, 10)
STRIDES = (1, 2, 3, 8)
RATES = (25.0, 30000 / 1001, 60.0)


class At:
  """A generator whose every draw lies at one place of its range."""

  def __init__(self, place):
    self.place = place

  def random(self, size=None):
    return self.place if size is None else np.full(size, self.place)

  def integers(self, low, high=None, size=None):
    if high is None:
      low, high = 0, low
    drawn = math.floor(low + (high - low) * self.place)
    return drawn if size is None else np.full(size, drawn)


def clips(rule, total, count, num, fps=None):
  return [
    sample_indices(
      total, count, sampling=rule, fps=fps, clip=clip, num_clips=num
    ).tolist()
    for clip in range(num)
  ]


def drawn(rule, total, count, place, fps=None):
  return sample_indices(total, count, sampling=rule, fps=fps, rng=At(place)).tolist()


def kept(frames, total, short):
  """Puts frames past the end where the option of each library has them."""
  if short == "loop":
    return [frame % total for frame in frames]
  there = [frame for frame in frames if frame < total]
  last = total - 1 if short == "last" else there[-1]
  return there + [last] * (len(frames) - len(there))


@pytest.mark.parametrize("short", ["loop", "repeat_last", "last"])
@pytest.mark.parametrize("stride", STRIDES)
def test_mmaction2_spreads_starts_from_the_first_to_the_last(stride, short):
  rule = f"mmaction2_clips({stride}, short={short!r})"
  for total, count, num in itertools.product(LENGTHS, COUNTS, CLIPS):
    last = max(total - (count - 1) * stride - 1, 0)
    if count == 1:
      starts = [int(k * (total / num) + total / num / 2) for k in range(num)]
    elif num == 1:
      starts = [last // 2]
    else:
      starts = np.round(np.arange(num) * (last / (num - 1))).astype(int)
    want = [
      kept([start + i * stride for i in range(count)], total, short) for start in starts
    ]
    assert clips(rule, total, count, num) == want, (total, count, num)


@pytest.mark.parametrize("stride", STRIDES)
def test_mmaction2_took_middles_of_parts_before(stride):
  rule = f"mmaction2_clips({stride}, starts='middles')"
  for total, count, num in itertools.product(LENGTHS, COUNTS, CLIPS):
    part = (total - count * stride + 1) / num
    starts = [int(k * part + part / 2) if part > 0 else 0 for k in range(num)]
    want = [[(start + i * stride) % total for i in range(count)] for start in starts]
    assert clips(rule, total, count, num) == want, (total, count, num)


@pytest.mark.parametrize("target", [15, 24, 30])
def test_mmaction2_counts_target_fps(target):
  rule = f"mmaction2_clips(4, fps={target})"
  for fps, total, count in itertools.product(RATES, LENGTHS, COUNTS[1:]):
    span = max(1, count * 4 * (fps / target))
    steps = np.linspace(0, span - 1, count).astype(np.int32)
    room = max(total - span, 0)
    for num in CLIPS:
      starts = [room // 2]
      if num > 1:
        starts = np.arange(num) * np.floor(room / (num - 1))
      want = [((start + steps) % total).astype(int).tolist() for start in starts]
      got = clips(rule, total, count, num, fps)
      assert got == want, (fps, total, count, num)
    starts = (total - span + 1) // 1
    for place in (0.0, 0.4, 0.999):
      start = int(place * starts) if starts > 0 else 0
      want = ((start + steps) % total).tolist()
      assert drawn(rule, total, count, place, fps) == want


@pytest.mark.parametrize("stride", STRIDES)
def test_mmaction2_draws_all_starts_but_the_last_ones(stride):
  for total, count in itertools.product(LENGTHS, COUNTS):
    starts = max(total - count * stride + 1, 1)
    for place in (0.0, 0.4, 0.999):
      start = int(place * starts)
      want = [(start + i * stride) % total for i in range(count)]
      got = drawn(f"mmaction2_clips({stride})", total, count, place)
      assert got == want, (total, count)
      late = int(place * stride)
      got = drawn(f"mmaction2_clips({stride}, jitter=True)", total, count, place)
      assert got == [(start + i * stride + late) % total for i in range(count)], (
        total,
        count,
      )


def test_starts_that_mmaction2_draws():
  rng = np.random.default_rng(0)
  starts = {
    sample_indices(20, 4, sampling="mmaction2_clips(3)", rng=rng)[0] for _ in range(300)
  }
  assert starts == set(range(9))  # 20 - 12 + 1; 9 and 10 would fit as well.


def test_tsm_twice_sample_takes_middles_and_starts():
  for total, count in itertools.product(range(1, 90), (1, 3, 7, 8, 16)):
    tick = total / float(count)
    want = [
      [int(tick / 2.0 + tick * i) for i in range(count)],
      [int(tick * i) for i in range(count)],
    ]
    for rule in ("tsm_segments", "mmaction2_segments"):
      assert clips(rule, total, count, 2) == want, (total, count)
      assert clips(rule, total, count, 1) == want[:1]


def test_segments_of_tsm_and_mmaction2_in_training():
  for total, count in itertools.product(LENGTHS, COUNTS):
    part = total // count
    for place in (0.0, 0.4, 0.999):
      tsm = [i * part + int(place * part) for i in range(count)]
      mmaction2 = tsm
      if total < count:
        tsm = [0] * count
        mmaction2 = [round(i * (total / count)) % total for i in range(count)]
      assert drawn("tsm_segments", total, count, place) == tsm
      assert drawn("mmaction2_segments", total, count, place) == mmaction2


@pytest.mark.parametrize("span", [32, 64])
@pytest.mark.parametrize("short", ["loop", "last"])
def test_tsm_dense_sample(span, short):
  rule = f"tsm_clips({span}, short={short!r})"
  for total, count in itertools.product(LENGTHS, COUNTS):
    step, positions = span // count, max(1, 1 + total - span)
    for num in CLIPS:
      want = [
        kept([start + i * step for i in range(count)], total, short)
        for start in np.linspace(0, positions - 1, num).astype(int)
      ]
      assert clips(rule, total, count, num) == want, (total, count, num)
    for place in (0.0, 0.4, 0.999):
      start = int(place * (positions - 1)) if positions > 1 else 0
      want = kept([start + i * step for i in range(count)], total, short)
      assert drawn(rule, total, count, place) == want


def float32_frames(start, span, count, total):
  places = torch.linspace(start, start + span - 1, count)
  return places.clamp(0, total - 1).long().tolist()


@pytest.mark.parametrize("offset", [False, True])
@pytest.mark.parametrize("rate", [1, 2, 3, 8])
def test_slowfast_takes_float32_places(rate, offset):
  rule = f"slowfast_clips({rate}, offset={offset})"
  for fps, total, count in itertools.product(RATES, LENGTHS, COUNTS):
    span = max(1.0, rate * count / 30 * fps)
    room = max(total - span, 0)
    for num in CLIPS:
      starts = [room * k / num for k in range(num)]
      if offset:
        step = math.floor(room / (num - 1)) if num > 1 else 0
        starts = [k * step for k in range(num)]
        if num == 1:
          starts = [math.floor(room / 2)]
      want = [float32_frames(one, span, count, total) for one in starts]
      got = clips(rule, total, count, num, fps)
      assert got == want, (fps, total, count, num)
    for place in (0.0, 0.31, 0.999):
      want = float32_frames(room * place, span, count, total)
      assert drawn(rule, total, count, place, fps) == want


def test_slowfast_draws_the_target_rate():
  # At 40 frames per second instead of 30, a clip is 3/4 as long.
  got = drawn("slowfast_clips(4, fps_jitter=20)", 400, 8, 0.5, 30.0)
  span = 4 * 8 / 40 * 30
  assert got == float32_frames((400 - span) / 2, span, 8, 400)


def test_slowfast_without_time_counts_frames():
  got = clips("slowfast_clips(4, fps=0)", 100, 8, 1)
  assert got == [float32_frames(0, 32, 8, 100)]


def test_uniform_temporal_subsample_of_a_whole_video():
  for total, count in itertools.product(range(1, 302), (1, 5, 8, 13, 32)):
    want = torch.linspace(0, total - 1, count).clamp(0, total - 1).long()
    rule = "uniform_temporal_subsample"
    assert clips(rule, total, count, 1) == [want.tolist()], (total, count)
    assert drawn(rule, total, count, 0.7) == want.tolist()


@pytest.mark.parametrize("seconds", [0.3, 2, 64 / 30])
def test_uniform_temporal_subsample_of_seconds(seconds):
  for fps, total, count in itertools.product(RATES, LENGTHS, COUNTS):
    last = Fraction(max(total / fps - seconds, 0))

    def taken(start, fps=fps, total=total, count=count):
      first = math.ceil(fps * float(start))
      end = math.ceil(fps * float(start + Fraction(seconds)))
      frames = torch.arange(total)[first:end]
      places = torch.linspace(0, len(frames) - 1, count).long()
      return frames[places].tolist()

    for num in CLIPS:
      for to_end, steps in ((True, max(num - 1, 1)), (False, num)):
        rule = f"uniform_temporal_subsample({seconds}, to_end={to_end})"
        want = [taken(last * k / steps) for k in range(num)]
        got = clips(rule, total, count, num, fps)
        assert got == want, (fps, total, count, num)
    rule = f"uniform_temporal_subsample({seconds})"
    assert drawn(rule, total, count, 0.25, fps) == taken(last / 4)


def test_clips_of_no_frame_take_the_next_one():
  rule = "uniform_temporal_subsample(0.001)"
  # The second clip of 0.4 s starts at 0.1995 s, before frame 2 at 0.2 s.
  assert clips(rule, 4, 2, 3, 10.0) == [[0, 0], [2, 2], [3, 3]]


@pytest.mark.parametrize(
  ("rule", "total", "count", "num", "fps", "want"),
  [
    # 32 - 13 leaves 19 starts after the first: 0, 9.5 (to even) and 19.
    (
      "mmaction2_clips(4)",
      32,
      4,
      3,
      None,
      [[0, 4, 8, 12], [10, 14, 18, 22], [19, 23, 27, 31]],
    ),
    ("mmaction2_clips(4)", 10, 4, 1, None, [[0, 4, 8, 2]]),
    ("mmaction2_clips(4, short='repeat_last')", 10, 4, 1, None, [[0, 4, 8, 8]]),
    ("dense(4)", 10, 4, 1, None, [[0, 4, 8, 9]]),
    ("dense(4, short='loop')", 10, 4, 1, None, [[0, 4, 8, 2]]),
    ("dense(4, short='repeat_last')", 10, 4, 1, None, [[0, 4, 8, 8]]),
    ("fixed_stride(short='loop')", 3, 5, 1, None, [[0, 1, 2, 0, 1]]),
    (
      "interval(4, fps=0, short='loop')",
      10,
      4,
      1,
      None,
      [[0, 5, 0, 5]],  # At places 0, 5, 10, 15.
    ),
    ("slowfast_clips(4, short='loop')", 10, 4, 1, 30.0, [[0, 5, 0, 5]]),
    ("tsm_segments", 16, 4, 2, None, [[2, 6, 10, 14], [0, 4, 8, 12]]),
    ("tsm_clips", 84, 4, 2, None, [[0, 16, 32, 48], [20, 36, 52, 68]]),
    ("uniform_temporal_subsample", 10, 4, 1, None, [[0, 3, 6, 9]]),
    ("uniform_temporal_subsample(1)", 30, 4, 2, 10.0, [[0, 3, 6, 9], [20, 23, 26, 29]]),
  ],
)
def test_figures_worked_out_by_hand(rule, total, count, num, fps, want):
  assert clips(rule, total, count, num, fps) == want


@pytest.mark.parametrize(
  "rule",
  [
    "slowfast_clips(2)",
    "mmaction2_clips(2, fps=30)",
    "uniform_temporal_subsample(1)",
    "interval(2)",
  ],
)
def test_rules_in_seconds_need_frames_per_second(rule):
  for rng in (None, np.random.default_rng(0)):
    with pytest.raises(ValueError, match=r"per second, got None; .*=0"):
      sample_indices(10, 4, sampling=rule, rng=rng)
    assert not sample_indices(1, 4, sampling=rule, rng=rng).any()
