import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from temporal_jax import ops
from tests.support.examples import FRAME_MAP, OperatorExample

OPERATOR_EXAMPLES = {
  "depthwise_convolution_2d": OperatorExample(
    functools.partial(ops.depthwise_convolution_2d, padding=1),
    clips=(FRAME_MAP,),
    shared=((3, 3, 6),),
    reverse_only=True,
  ),
}


def _torch(x, kernel, gradient, **options):
  """Returns torch's result and, for `gradient`, its gradients."""
  frames = torch.tensor(x.reshape(-1, *x.shape[-3:])).permute(0, 3, 1, 2)
  frames = frames.detach().requires_grad_()
  weight = torch.tensor(kernel).permute(2, 0, 1)[:, None]
  weight = weight.detach().requires_grad_()
  out = torch.nn.functional.conv2d(frames, weight, groups=kernel.shape[-1], **options)
  rows = out.permute(0, 2, 3, 1)
  if gradient is None:
    return rows.detach().numpy()
  rows.backward(torch.tensor(gradient).reshape(rows.shape))
  return (
    rows.detach().numpy(),
    frames.grad.permute(0, 2, 3, 1).reshape(x.shape).numpy(),
    weight.grad[:, 0].permute(1, 2, 0).numpy(),
  )


def _compare(shape, kernel_shape, **options):
  rng = np.random.default_rng(0)
  x = rng.standard_normal(shape, np.float32)
  kernel = rng.standard_normal(kernel_shape, np.float32)

  @jax.jit
  def ours(x, kernel):
    return ops.depthwise_convolution_2d(x, kernel, **options)

  got, pull = jax.vjp(ours, x, kernel)
  gradient = rng.standard_normal(got.shape, np.float32)
  want = _torch(x, kernel, gradient, **options)
  gradients = pull(jnp.asarray(gradient))
  np.testing.assert_allclose(got.reshape(want[0].shape), want[0], rtol=1e-4, atol=1e-5)
  for found, expected in zip(gradients, want[1:], strict=True):
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
  ("size", "kernel", "options"),
  [
    ((9, 8), (7, 7), {"padding": 3}),
    ((9, 8), (3, 3), {"padding": 1, "stride": 2}),
    ((10, 7), (3, 5), {"padding": 2, "stride": 2, "dilation": 2}),
    ((11, 13), (4, 2), {"padding": 4, "stride": 3, "dilation": 3}),
    ((3, 3), (7, 7), {"padding": 3}),  # A map smaller than the kernel,
    ((4, 4), (2, 2), {"padding": 5}),  # padding wider than the kernel,
    ((6, 5), (1, 1), {"stride": 2}),  # pixels that no window reaches,
    ((5, 4), (5, 4), {}),  # a window alone.
  ],
)
def test_values_and_gradients_match_torch(size, kernel, options):
  _compare((2, 2, *size, 3), (*kernel, 3), **options)


@settings(max_examples=10, deadline=None)
@given(
  height=st.integers(3, 9),
  width=st.integers(3, 9),
  rows=st.integers(1, 3),
  columns=st.integers(1, 3),
  stride=st.integers(1, 3),
  padding=st.integers(0, 2),
)
def test_any_shape_matches_torch(height, width, rows, columns, stride, padding):
  shape = (1, height, width, 2)
  _compare(shape, (rows, columns, 2), stride=stride, padding=padding)


def test_gradients_can_be_differentiated_again():
  rng = np.random.default_rng(1)
  x = rng.standard_normal((1, 5, 4, 2), np.float32)
  kernel = rng.standard_normal((3, 3, 2), np.float32)

  def ours(x, kernel):
    return ops.depthwise_convolution_2d(x, kernel, padding=1)

  def loop(x, kernel):
    padded = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    return sum(
      padded[:, i : i + 5, j : j + 4] * kernel[i, j][None, None, None]
      for i in range(3)
      for j in range(3)
    )

  def penalty(conv):
    def loss(x, kernel):
      return jnp.sum(jnp.sin(conv(x, kernel)))

    def length(x, kernel):
      return jnp.sum(jax.grad(loss)(x, kernel) ** 2)

    return jax.grad(length, (0, 1))(x, kernel)

  for got, want in zip(penalty(ours), penalty(loop), strict=True):
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)


def test_vmap_of_gradients_is_a_loop():
  rng = np.random.default_rng(2)
  x = rng.standard_normal((3, 2, 5, 4, 2), np.float32)
  kernel = rng.standard_normal((3, 3, 3, 2), np.float32)

  def gradients(x, kernel):
    def loss(x, kernel):
      return jnp.sum(ops.depthwise_convolution_2d(x, kernel, padding=1) ** 2)

    return jax.grad(loss, (0, 1))(x, kernel)

  stacked = jax.jit(jax.vmap(gradients))(x, kernel)
  for i in range(3):
    for got, want in zip(stacked, gradients(x[i], kernel[i]), strict=True):
      np.testing.assert_allclose(got[i], want, rtol=1e-4, atol=1e-4)


def test_bfloat16_is_close_and_stays():
  rng = np.random.default_rng(3)
  x = rng.standard_normal((2, 9, 9, 4), np.float32)
  kernel = rng.standard_normal((7, 7, 4), np.float32)

  def loss(x, kernel):
    out = ops.depthwise_convolution_2d(x, kernel, padding=3)
    return jnp.sum(out.astype(jnp.float32) ** 2), out

  grad = jax.grad(loss, (0, 1), has_aux=True)
  wanted, want = grad(x, kernel)
  low = jnp.asarray(x, jnp.bfloat16), jnp.asarray(kernel, jnp.bfloat16)
  gradients, got = grad(*low)
  pairs = zip((got, *gradients), (want, *wanted), strict=True)
  for found, expected in pairs:
    assert found.dtype == jnp.bfloat16
    error = np.linalg.norm(np.asarray(found, np.float32) - np.asarray(expected))
    assert error <= 3e-2 * np.linalg.norm(expected)


@pytest.mark.parametrize(
  ("x", "kernel", "message"),
  [
    ((8, 8, 3), (3, 3, 3), "x must be"),
    ((2, 8, 8, 3), (3, 3, 2), "x must be"),
    ((2, 8, 8, 3), (3, 3, 1, 3), "x must be"),
    ((2, 2, 8, 3), (3, 3, 3), "does not fit"),
  ],
)
def test_rejects_wrong_shapes(x, kernel, message):
  with pytest.raises(ValueError, match=message):
    ops.depthwise_convolution_2d(np.zeros(x, np.float32), np.zeros(kernel, np.float32))
