import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_jax.data.sampling import SAMPLINGS, sample_indices


@given(
  total=st.integers(1, 300),
  num_frames=st.integers(1, 32),
  sampling=st.sampled_from(SAMPLINGS),
  stride=st.integers(1, 5),
  seed=st.none() | st.integers(0, 9),
)
def test_indices_ascend_inside_the_video(
  total, num_frames, sampling, stride, seed
):
  rng = None if seed is None else np.random.default_rng(seed)
  got = sample_indices(
    total, num_frames, sampling=sampling, stride=stride, rng=rng
  )
  assert got.shape == (num_frames,)
  assert np.all(np.diff(got) >= 0)
  assert got.min() >= 0
  assert got.max() < total


def test_segment_takes_the_middles():
  got = sample_indices(16, 4, sampling="segment")
  np.testing.assert_array_equal(got, [2, 6, 10, 14])


def test_segment_draws_one_frame_of_each_part():
  rng = np.random.default_rng(0)
  drawn = np.stack(
    [sample_indices(16, 4, sampling="segment", rng=rng) for _ in range(200)]
  )
  for part in range(4):
    assert set(drawn[:, part]) == set(range(4 * part, 4 * part + 4))


def test_dense_takes_the_middle_window():
  got = sample_indices(20, 4, sampling="dense", stride=3)
  np.testing.assert_array_equal(got, [5, 8, 11, 14])


def test_dense_draws_every_start():
  rng = np.random.default_rng(0)
  starts = {
    sample_indices(10, 3, sampling="dense", stride=2, rng=rng)[0]
    for _ in range(200)
  }
  assert starts == set(range(6))


def test_short_videos_repeat_the_last_frame():
  got = sample_indices(3, 5, sampling="dense")
  np.testing.assert_array_equal(got, [0, 1, 2, 2, 2])


@pytest.mark.parametrize(
  ("kwargs", "message"),
  [
    ({"sampling": "random"}, "sampling must be in"),
    ({"sampling": "dense", "stride": 0}, "at least 1"),
    ({"sampling": "dense", "num_frames": 0}, "at least 1"),
    ({"sampling": "dense", "total": 0}, "at least 1"),
  ],
)
def test_rejects_wrong_arguments(kwargs, message):
  with pytest.raises(ValueError, match=message):
    sample_indices(**({"total": 10, "num_frames": 4} | kwargs))
