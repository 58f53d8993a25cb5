import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from temporal_jax import ops
from tests.support.examples import OperatorExample

OPERATOR_EXAMPLES = {
  "patch_embedding": OperatorExample(
    ops.patch_embedding, clips=((4, 6, 2),), shared=((2, 3, 2, 5),)
  ),
  "patch_embedding of tubelets": OperatorExample(
    functools.partial(ops.patch_embedding, temporal_padding=1),
    clips=((4, 6, 2),),
    shared=((3, 2, 3, 2, 5),),
    temporal=True,
  ),
}


def _draw(*shape, seed=0):
  return np.random.default_rng(seed).standard_normal(shape, np.float32)


def _convolution(x, kernel, stride, padding):
  """XLA's convolution over (T, H, W)."""
  return jax.lax.conv_general_dilated(
    x,
    kernel,
    window_strides=(stride, *kernel.shape[1:3]),
    padding=[(padding, padding), (0, 0), (0, 0)],
    dimension_numbers=("NDHWC", "DHWIO", "NDHWC"),
  )


@settings(max_examples=6, deadline=None)
@given(
  taps=st.integers(1, 4),
  stride=st.integers(1, 3),
  padding=st.integers(0, 2),
  more=st.integers(0, 4),
  rows=st.integers(1, 3),
  columns=st.integers(1, 3),
)
def test_tubelets_match_convolution(taps, stride, padding, more, rows, columns):
  frames = max(1, taps - 2 * padding) + more
  x = _draw(2, frames, 2 * rows, 3 * columns, 3)
  kernel = _draw(taps, rows, columns, 3, 5, seed=1)
  got = ops.patch_embedding(x, kernel, temporal_stride=stride, temporal_padding=padding)
  want = _convolution(x, kernel, stride, padding)
  np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


def test_patches_match_torch():
  x, kernel = _draw(2, 3, 8, 12, 3), _draw(4, 4, 3, 7, seed=1)
  got = jax.jit(ops.patch_embedding)(x, kernel)
  frames = torch.tensor(x).flatten(0, 1).permute(0, 3, 1, 2)
  weight = torch.tensor(kernel).permute(3, 2, 0, 1)
  want = torch.nn.functional.conv2d(frames, weight, stride=4)
  want = want.permute(0, 2, 3, 1).reshape(2, 3, 2, 3, 7)
  np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


def test_gradients_match_convolution():
  x, kernel = _draw(1, 5, 4, 2, 3), _draw(3, 2, 2, 3, 4, seed=1)
  weight = _draw(1, 3, 2, 1, 4, seed=2)

  def embed(x, kernel):
    return ops.patch_embedding(x, kernel, temporal_stride=2, temporal_padding=1)

  def gradients(embed):
    def loss(x, k):
      return jnp.sum(weight * embed(x, k))

    return jax.jit(jax.grad(loss, (0, 1)))(x, kernel)

  got = gradients(embed)
  want = gradients(lambda x, k: _convolution(x, k, 2, 1))
  for ours, theirs in zip(got, want, strict=True):
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def test_vmap_equals_loop():
  x, kernel = _draw(3, 2, 4, 4, 3), _draw(2, 2, 3, 5, seed=1)
  mapped = jax.vmap(lambda x: ops.patch_embedding(x[None], kernel)[0])(x)
  want = ops.patch_embedding(x, kernel)
  np.testing.assert_allclose(mapped, want, rtol=1e-5, atol=1e-6)


def test_reversing_time_changes_tubelets():
  x, kernel = _draw(1, 4, 2, 2, 3), _draw(3, 2, 2, 3, 5, seed=1)
  forward = ops.patch_embedding(x, kernel, temporal_padding=1)
  backward = ops.patch_embedding(x[:, ::-1], kernel, temporal_padding=1)
  assert not np.allclose(forward, backward[:, ::-1], atol=1e-2)
  backward = ops.patch_embedding(x[:, ::-1], kernel[::-1], temporal_padding=1)
  np.testing.assert_allclose(forward, backward[:, ::-1], rtol=1e-4, atol=1e-5)


def test_bfloat16():
  x, kernel = _draw(1, 4, 8, 8, 3), _draw(3, 4, 4, 3, 16, seed=1)
  want = ops.patch_embedding(x, kernel)
  got = ops.patch_embedding(jnp.asarray(x, jnp.bfloat16), kernel)
  assert got.dtype == jnp.bfloat16
  error = np.linalg.norm(np.asarray(got, np.float32) - want)
  assert error <= 3e-2 * np.linalg.norm(want)


@pytest.mark.parametrize(
  ("kernel", "match"),
  [
    ((2, 2, 4, 5), "channels differ"),
    ((3, 2, 3, 5), "patches of 3 x 2 do not divide frames of 4 x 6"),
    ((2, 4, 3, 5), "patches of 2 x 4 do not divide frames of 4 x 6"),
    ((3, 2, 2, 3, 5), "tubelets of 3 frames do not fit 2 frames"),
    ((2, 3, 5), "kernel must be"),
  ],
)
def test_rejects_kernels_that_do_not_fit(kernel, match):
  x = np.zeros((1, 2, 4, 6, 3), np.float32)
  with pytest.raises(ValueError, match=match):
    ops.patch_embedding(x, np.zeros(kernel, np.float32))


def test_rejects_other_arguments():
  x, kernel = np.zeros((1, 2, 4, 4, 3), np.float32), np.zeros((2, 2, 3, 5))
  with pytest.raises(ValueError, match="x must be"):
    ops.patch_embedding(x[0], kernel)
  with pytest.raises(
    ValueError, match="temporal_stride must be an integer of at least 1, got 0"
  ):
    ops.patch_embedding(x, kernel, temporal_stride=0)
