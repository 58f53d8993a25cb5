"""Changes of values, one at a time."""

import numpy as np
import pytest

from convert_weights import changes

KERNEL = np.random.default_rng(0).standard_normal((3, 3, 4, 5), np.float32)
ALL = [changes.inflate, changes.inflate_stem, changes.inflate_wider]


@pytest.mark.parametrize("change", ALL)
@pytest.mark.parametrize("inflation", changes.INFLATIONS)
@pytest.mark.parametrize("value", [KERNEL, KERNEL[0, 0, 0]])
def test_what_has_the_shape_stays(change, inflation, value):
  got = change(value, value.shape, inflation)
  np.testing.assert_array_equal(got, value)


@pytest.mark.parametrize("change", ALL)
@pytest.mark.parametrize("taps", [2, 3, 4, 5])
def test_the_centre_is_one_tap_and_the_mean_all(change, taps):
  shape = (taps, *KERNEL.shape)
  centre = np.array(change(KERNEL, shape, "centre"))
  np.testing.assert_array_equal(centre[taps // 2], KERNEL)
  centre[taps // 2] = 0
  assert not centre.any()
  mean = change(KERNEL, shape, "mean")
  np.testing.assert_allclose(mean, np.stack([KERNEL / taps] * taps), rtol=1e-6)


def test_a_kernel_of_one_pixel_loses_its_axes_over_space():
  value = KERNEL[:1, :1]
  got = changes.inflate(value, (3, 4, 5), "centre")
  np.testing.assert_array_equal(got[1], KERNEL[0, 0])
  assert not np.array(got)[::2].any()
  # One of several pixels has no such leaf.
  assert changes.inflate(KERNEL, (3, 4, 5), "mean").shape == KERNEL.shape


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_flow_sees_the_mean_over_colours(dtype):
  value = KERNEL[..., :3, :].astype(dtype)
  want = value.astype(np.float64).mean(-2)
  got = changes.inflate_stem(value, (3, 3, 10, 5), "centre")
  for channel in range(10):
    np.testing.assert_allclose(got[..., channel, :], want, rtol=1e-6)
  got = changes.inflate_stem(value, (5, 3, 3, 2, 5), "mean")
  np.testing.assert_allclose(got[4, ..., 1, :], want / 5, rtol=1e-6)


def test_inputs_that_the_image_network_lacks_get_zeros():
  got = np.array(changes.inflate_wider(KERNEL, (2, 3, 3, 7, 5), "mean"))
  np.testing.assert_array_equal(got[0, ..., :4, :], KERNEL / 2)
  assert not got[..., 4:, :].any()
  with pytest.raises(ValueError, match="more input channels"):
    changes.inflate_wider(KERNEL, (3, 3, 3, 5), "mean")


def test_an_unknown_inflation_is_refused():
  with pytest.raises(ValueError, match="inflation must be one of"):
    changes.inflate(KERNEL, KERNEL.shape, "repeat")
