"""Depthwise convolution by banded matrices, for TPU, against XLA's."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax.ops.lowering import banded_convolution, dense_convolution


def _draw(*shape, seed=0):
  return np.random.default_rng(seed).standard_normal(shape, np.float32)


def _grouped(x, kernel, **settings):
  return dense_convolution.xla_convolve(
    x, kernel[:, :, None], stride=1, groups=x.shape[-1], **settings
  )


@pytest.mark.parametrize(
  ("size", "kernel", "padding", "dilation"),
  [
    ((14, 14), (7, 7), 3, 1),  # Two blocks of seven rows,
    ((7, 7), (7, 7), 3, 1),  # one block,
    ((5, 56), (7, 7), 3, 1),  # three blocks of two rows, one of them padding,
    ((3, 100), (5, 5), 2, 1),  # a row each.
    ((9, 30), (3, 3), 1, 1),
    ((9, 8), (5, 3), 0, 1),  # Fewer places than pixels,
    ((4, 30), (2, 4), 5, 1),  # and more.
    ((10, 40), (3, 3), 2, 2),
    ((1, 1), (5, 5), 2, 1),
  ],
)
def test_values_and_gradients_of_any_order(size, kernel, padding, dilation):
  x, kernel = _draw(2, *size, 3), _draw(*kernel, 3, seed=1) / 5
  settings = {"padding": padding, "dilation": dilation}
  both = [
    functools.partial(convolve, **settings)
    for convolve in (banded_convolution.convolve, _grouped)
  ]
  directions = _draw(*x.shape, seed=2), _draw(*kernel.shape, seed=3)

  def loss(convolve, x, kernel):
    return jnp.sum(jnp.tanh(convolve(x, kernel)))

  def slope(convolve, x, kernel):
    gradients = jax.grad(functools.partial(loss, convolve), (0, 1))(x, kernel)
    return sum(map(jnp.vdot, gradients, directions))

  got, want = (jax.jit(convolve)(x, kernel) for convolve in both)
  np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)
  for measure in (loss, slope):
    pairs = [
      jax.jit(jax.grad(functools.partial(measure, convolve), (0, 1)))(x, kernel)
      for convolve in both
    ]
    for found, wanted in zip(*pairs, strict=True):
      np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)


def test_one_channel_and_no_frames():
  x, kernel = _draw(2, 6, 5, 1), _draw(3, 3, 1, seed=1)
  settings = {"padding": 1, "dilation": 1}
  got = banded_convolution.convolve(x, kernel, **settings)
  np.testing.assert_allclose(got, _grouped(x, kernel, **settings), rtol=1e-4, atol=1e-5)
  none = banded_convolution.convolve(x[:0], kernel, **settings)
  assert none.shape == (0, 6, 5, 1)


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16])
def test_dtypes_stay_and_are_close(dtype):
  x, kernel = _draw(2, 9, 9, 4), _draw(7, 7, 4, seed=1)
  convolve = functools.partial(banded_convolution.convolve, padding=3, dilation=1)

  def loss(x, kernel):
    out = convolve(x, kernel)
    return jnp.sum(out.astype(jnp.float32) ** 2), out

  differentiate = jax.grad(loss, (0, 1), has_aux=True)
  wanted, want = differentiate(x, kernel)
  gradients, got = differentiate(jnp.asarray(x, dtype), jnp.asarray(kernel, dtype))
  for found, expected in zip((got, *gradients), (want, *wanted), strict=True):
    assert found.dtype == dtype
    error = np.linalg.norm(np.asarray(found, np.float32) - np.asarray(expected))
    assert error <= 3e-2 * np.linalg.norm(expected)


@pytest.mark.parametrize(
  ("frames", "size", "kernel", "stride", "suits"),
  [
    (8, (56, 56), (7, 7), 1, True),
    (64, (14, 14), (5, 5), 1, True),
    (4, (56, 56), (7, 7), 1, False),
    (8, (56, 56), (3, 3), 1, False),
    (8, (56, 56), (7, 7), 2, False),
    (8, (56, 129), (7, 7), 1, False),
  ],
)
def test_large_kernels_of_many_frames_suit(frames, size, kernel, stride, suits):
  x, kernel = np.zeros((frames, *size, 2)), np.zeros((*kernel, 2))
  settings = {"stride": stride, "padding": kernel.shape[0] // 2, "dilation": 1}
  assert banded_convolution.suit(x, kernel, **settings) == suits
