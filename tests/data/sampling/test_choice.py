import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from temporal_jax.data import sampling
from temporal_jax.data.sampling import SAMPLINGS, sample_indices

# Rules with any number of clips whose frames ascend in longer videos.
RULES = (
  *("segments", "nearest_segments", "whole_segments", "equal_segments"),
  *("random_clips", "dense", "dense(short='repeat_last')", "fixed_stride"),
  "interval(3)",
  "interval(3, fps=0, single='start')",
  "rounded_segments('inside')",
  "rounded_segments('borders')",
  "rounded_segments('spread')",
  "mmaction2_clips",
  "mmaction2_clips(2, fps=20, short='last')",
  "slowfast_clips(3, offset=True)",
  "tsm_clips(short='repeat_last')",
  "uniform_temporal_subsample(0.5)",
)


@settings(max_examples=300, deadline=None)
@given(
  total=st.integers(1, 300),
  num_frames=st.integers(1, 32),
  rule=st.sampled_from(RULES),
  stride=st.integers(1, 5),
  num_clips=st.integers(1, 3),
  seed=st.none() | st.integers(0, 9),
  data=st.data(),
)
def test_indices_ascend_inside_the_video(
  total, num_frames, rule, stride, num_clips, seed, data
):
  kwargs = {"sampling": rule, "stride": stride, "fps": 24.0}
  if seed is None:
    clip = data.draw(st.integers(0, num_clips - 1))
    kwargs |= {"clip": clip, "num_clips": num_clips}
  else:
    kwargs["rng"] = np.random.default_rng(seed)
  got = sample_indices(total, num_frames, **kwargs)
  assert got.shape == (num_frames,)
  assert got.dtype == np.int64
  assert got.min() >= 0
  assert got.max() < total
  if total >= num_frames:
    assert np.all(np.diff(got) >= 0)


def test_segment_takes_the_middles():
  got = sample_indices(16, 4, sampling="segments")
  np.testing.assert_array_equal(got, [2, 6, 10, 14])


def test_segment_draws_one_frame_of_each_part():
  rng = np.random.default_rng(0)
  drawn = np.stack(
    [sample_indices(16, 4, sampling="segments", rng=rng) for _ in range(200)]
  )
  for part in range(4):
    assert set(drawn[:, part]) == set(range(4 * part, 4 * part + 4))


def test_dense_takes_the_middle_window():
  got = sample_indices(20, 4, sampling="dense", stride=3)
  np.testing.assert_array_equal(got, [5, 8, 11, 14])


def test_dense_says_its_stride_itself_or_takes_the_given_one():
  given_, own = (
    sample_indices(20, 4, sampling=rule, stride=3) for rule in ("dense", "dense(2)")
  )
  assert set(np.diff(given_)) == {3}
  assert set(np.diff(own)) == {2}


def test_dense_clips_leave_as_much_before_as_after():
  starts = [
    sample_indices(16, 4, sampling="dense", clip=clip, num_clips=3)[0]
    for clip in range(3)
  ]
  assert starts == [3, 6, 9]  # From starts 0 to 12.


def test_dense_draws_every_start():
  rng = np.random.default_rng(0)
  starts = {
    sample_indices(10, 3, sampling="dense", stride=2, rng=rng)[0] for _ in range(200)
  }
  assert starts == set(range(6))


def test_short_videos_repeat_the_last_frame():
  got = sample_indices(3, 5, sampling="dense")
  np.testing.assert_array_equal(got, [0, 1, 2, 2, 2])


@pytest.mark.parametrize(
  ("kwargs", "message"),
  [
    ({"sampling": "random"}, r"(?s)unknown sampling .random.*\n  segments\n"),
    ({"sampling": "segmets"}, "did you mean 'segments'"),
    ({"sampling": "dense("}, "sampling .* cannot be read"),
    ({"sampling": "dense|segments"}, "is no sampling; known:"),
    ({"sampling": "dense(stride=print)"}, "must be numbers, strings"),
    ({"sampling": "interval"}, r"it is interval\(rate, fps=30.0"),
    ({"sampling": "interval(16, frames=3)"}, "frames"),
    ({"sampling": "interval(0)"}, "rate must be a number in"),
    ({"sampling": "interval(4, fps=-1)"}, "fps must be a number in"),
    ({"sampling": "interval(4, single='end')"}, "single must be one of"),
    (
      {"sampling": "interval(4)"},
      "needs the video's frames per second, got None; fps=0",
    ),
    ({"sampling": "equal_segments(2)"}, "shared must be one of"),
    ({"sampling": "rounded_segments('ends')"}, "clips must be one of"),
    ({"sampling": "dense(stride=-1)"}, "stride must be an integer"),
    ({"sampling": "dense(10**9)"}, "must be numbers, strings"),
    ({"sampling": "dense(1000000000)"}, "stride must be a number in"),
    ({"sampling": "dense(2, short='first')"}, r"\['last', 'repeat_last', 'lo"),
    ({"sampling": "interval(2, short=True)"}, "short must be one of"),
    ({"sampling": "interval(1e999)"}, "rate must be a number in"),
    ({"sampling": "fixed_stride('all')"}, "short must be one of"),
    ({"sampling": "segments(short='loop')"}, "too many|unexpected|short"),
    ({"sampling": "mmaction2_clips(0)"}, "interval must be an integer"),
    ({"sampling": "mmaction2_clips(2.5)"}, "interval must be an integer"),
    ({"sampling": "mmaction2_clips(2, fps=-1)"}, "fps must be a number in"),
    ({"sampling": "mmaction2_clips(2, jitter=3)"}, "jitter must be one of"),
    (
      {"sampling": "mmaction2_clips(2, fps=30, starts='middles')"},
      "fps=30 needs starts='spread', got starts='middles'",
    ),
    (
      {"sampling": "mmaction2_clips(frame_interval=2)"},
      r"'frame_interval'; it is mmaction2_clips\(interval=1, fps=0.0",
    ),
    ({"sampling": "mmaction2_clip"}, "did you mean 'mmaction2_clips"),
    ({"sampling": "mmaction2_clips(2, 25)"}, "mmaction2_clips at fps=25 needs"),
    ({"sampling": "tsm_clips(3)"}, "span must be at least the clip's 4 frames"),
    ({"sampling": "tsm_clips(short=0)"}, "short must be one of"),
    ({"sampling": "tsm_segments", "num_clips": 3}, "2 for twice_sample; got 3"),
    ({"sampling": "slowfast_clips"}, r"it is slowfast_clips\(rate, fps=30.0"),
    ({"sampling": "slowfast_clips(0)"}, "rate must be a number in"),
    ({"sampling": "slowfast_clips(2, offset=1.5)"}, "offset must be one of"),
    (
      {"sampling": "slowfast_clips(2, fps=0, fps_jitter=5)"},
      "fps_jitter=5 needs an fps above 0, got 0",
    ),
    (
      {"sampling": "uniform_temporal_subsample(-1)"},
      "clip_duration must be a number in",
    ),
    (
      {"sampling": "uniform_temporal_subsample", "num_clips": 2},
      "2 clips of a video need a clip_duration",
    ),
    ({"sampling": "dense", "stride": 0}, "at least 1"),
    ({"sampling": "dense", "num_frames": 0}, "at least 1"),
    ({"sampling": "dense", "total": 0}, "at least 1"),
    ({"sampling": "dense", "clip": 1}, r"clip must be in \[0, 1\)"),
    (
      {"sampling": "rounded_segments('borders')", "num_clips": 4},
      "up to 3 clips",
    ),
    (
      {"sampling": "dense", "num_clips": 2, "rng": np.random.default_rng(0)},
      "one by one",
    ),
  ],
)
def test_rejects_wrong_arguments(kwargs, message):
  with pytest.raises(ValueError, match=message):
    sample_indices(**({"total": 10, "num_frames": 4} | kwargs))


def test_a_rule_is_its_arguments():
  rule = sampling.parse_sampling("interval(rate=16, fps=25, single='start')")
  assert rule == SAMPLINGS["interval"](16, 25, "start")
