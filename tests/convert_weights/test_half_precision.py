"""Weights in float16, as CLIP's are published, are changed in float32."""

import numpy as np

from convert_weights import changes


def _draw(*shape):
  return np.random.default_rng(0).standard_normal(shape).astype(np.float16)


def test_positions_are_resized_in_single_precision():
  half = _draw(17, 8)
  got = changes.resize_positions(half, (50, 8), "centre")
  want = changes.resize_positions(half.astype(np.float32), (50, 8), "centre")
  np.testing.assert_array_equal(got, want)
  assert got.dtype == np.float32


def test_kernels_are_divided_in_single_precision():
  half = _draw(2, 2, 3, 8)
  got = changes.inflate(half, (3, *half.shape), "mean")
  want = half.astype(np.float32) / 3
  np.testing.assert_allclose(got[1], want, rtol=1e-6)
