"""Patches as two convolutions, for TPU, against one convolution."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax.ops.lowering import patch_convolution


def _draw(*shape, seed=0):
  return np.random.default_rng(seed).standard_normal(shape, np.float32)


def _convolution(x, kernel, temporal_stride, temporal_padding):
  """XLA's convolution over (T, H, W)."""
  return jax.lax.conv_general_dilated(
    x,
    kernel,
    window_strides=(temporal_stride, *kernel.shape[1:3]),
    padding=[(temporal_padding, temporal_padding), (0, 0), (0, 0)],
    dimension_numbers=("NDHWC", "DHWIO", "NDHWC"),
  )


@pytest.mark.parametrize(
  ("kernel", "frames", "stride", "padding"),
  [
    ((1, 4, 32, 2, 5), 3, 1, 0),  # Two rows fill the lanes.
    ((3, 4, 32, 2, 5), 5, 2, 1),
    ((2, 3, 2, 3, 4), 4, 3, 0),  # No number of rows fills them.
    ((1, 1, 1, 3, 2), 1, 1, 0),
    ((3, 2, 2, 1, 4), 1, 1, 2),
  ],
)
def test_values_and_gradients_of_any_order(kernel, frames, stride, padding):
  x = _draw(2, frames, 2 * kernel[1], 3 * kernel[2], kernel[3])
  kernel = _draw(*kernel, seed=1) / kernel[1] / kernel[2]
  settings = {"temporal_stride": stride, "temporal_padding": padding}
  both = [
    functools.partial(embed, **settings)
    for embed in (patch_convolution.embed, _convolution)
  ]
  directions = _draw(*x.shape, seed=2), _draw(*kernel.shape, seed=3)

  def loss(embed, x, kernel):
    return jnp.sum(jnp.tanh(embed(x, kernel)))

  def slope(embed, x, kernel):
    gradients = jax.grad(functools.partial(loss, embed), (0, 1))(x, kernel)
    return sum(map(jnp.vdot, gradients, directions))

  got, want = (jax.jit(embed)(x, kernel) for embed in both)
  np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)
  along = [jax.jvp(embed, (x, kernel), directions)[1] for embed in both]
  np.testing.assert_allclose(*along, rtol=1e-4, atol=1e-4)
  for measure in (loss, slope):
    pairs = [
      jax.jit(jax.grad(functools.partial(measure, embed), (0, 1)))(x, kernel)
      for embed in both
    ]
    for found, wanted in zip(*pairs, strict=True):
      np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)


def test_rows_fill_the_lanes_or_stay_in_them():
  sizes = [(16, 48), (32, 96), (14, 42), (1, 3), (3, 200)]
  fill = [patch_convolution._fill_lanes(*size) for size in sizes]
  stay = [patch_convolution._stay_in_lanes(*size) for size in sizes]
  assert (fill, stay) == ([8, 4, 14, 1, 3], [2, 1, 2, 1, 1])


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16, jnp.float32])
def test_dtypes_stay(dtype):
  x = jnp.asarray(_draw(1, 2, 4, 4, 3), dtype)
  kernel = jnp.asarray(_draw(1, 2, 2, 3, 4, seed=1), dtype)
  settings = {"temporal_stride": 1, "temporal_padding": 0}
  got = patch_convolution.embed(x, kernel, **settings)
  want = _convolution(x, kernel, **settings)
  assert got.dtype == dtype
  np.testing.assert_array_equal(got, want)  # To take patches out rounds nothing.
