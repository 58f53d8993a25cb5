import numpy as np
import pytest

from temporal_jax.data.video.pictures import crop_square

PIXELS = np.arange(2 * 6 * 8 * 1).reshape(2, 6, 8, 1)


def test_middle_without_rng():
  np.testing.assert_array_equal(crop_square(PIXELS, 4), PIXELS[:, 1:5, 2:6])


def test_random_crops_reach_all_corners_and_are_the_same_for_all_frames():
  rng = np.random.default_rng(0)
  corners = set()
  for _ in range(200):
    got = crop_square(PIXELS, 4, rng)
    assert got.shape == (2, 4, 4, 1)
    assert np.all(got[1] - got[0] == 48)
    corners.add(int(got[0, 0, 0, 0]))
  assert corners == {8 * row + column for row in range(3) for column in range(5)}


def test_small_frames_are_refused():
  with pytest.raises(ValueError, match="does not fit frames of 6 x 8"):
    crop_square(PIXELS, 7)


def test_frames_of_two_sizes_are_refused():
  with pytest.raises(ValueError, match=r"differ in size: \[\(6, 7\), \(6, 8\)\]"):
    crop_square([PIXELS[0], PIXELS[1, :, :7]], 4)
