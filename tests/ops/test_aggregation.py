import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from temporal_jax import ops
from tests.support.examples import FRAME_MAP, OperatorExample


def _step(x, cache, kernel):
  return ops.temporal_aggregation_step(x[:, 0], cache, kernel)


OPERATOR_EXAMPLES = {
  "temporal_aggregation": OperatorExample(
    ops.temporal_aggregation, clips=(FRAME_MAP,), shared=((5, 6),), temporal=True
  ),
  "temporal_aggregation of the past": OperatorExample(
    functools.partial(ops.temporal_aggregation, causal=True),
    clips=(FRAME_MAP,),
    shared=((4, 6),),
    temporal=True,
  ),
  "temporal_aggregation_step": OperatorExample(
    _step, clips=(FRAME_MAP, FRAME_MAP), shared=((5, 6),), laws=False
  ),
}


def _conv1d(x, kernel, before, after):
  """torch's depthwise convolution over time, then ReLU."""
  b, t, h, w, c = x.shape
  series = torch.tensor(x).permute(0, 2, 3, 4, 1).reshape(-1, c, t)
  series = torch.nn.functional.pad(series, (before, after))
  weight = torch.tensor(kernel.T)[:, None]  # (C, 1, K)
  out = torch.nn.functional.conv1d(series, weight, groups=c).relu()
  return out.reshape(b, h, w, c, t).permute(0, 4, 1, 2, 3).numpy()


@pytest.mark.parametrize("taps", [1, 3, 5, 7])
@pytest.mark.parametrize("shape", [(2, 8, 4, 3, 6), (1, 1, 2, 2, 5)])
def test_matches_depthwise_conv1d(shape, taps):
  rng = np.random.default_rng(0)
  x = rng.standard_normal(shape, np.float32)
  kernel = rng.standard_normal((taps, shape[-1]), np.float32)

  got = jax.jit(ops.temporal_aggregation)(x, kernel)

  want = _conv1d(x, kernel, taps // 2, taps // 2)
  np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("taps", [1, 2, 3, 6])
def test_causal_matches_a_convolution_of_the_past(taps):
  rng = np.random.default_rng(0)
  x = rng.standard_normal((2, 5, 4, 3, 6), np.float32)
  kernel = rng.standard_normal((taps, 6), np.float32)
  got = ops.temporal_aggregation(x, kernel, causal=True)
  want = _conv1d(x, kernel, taps - 1, 0)
  np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("taps", [1, 3, 4])
def test_online_is_the_causal_form_frame_by_frame(taps):
  rng = np.random.default_rng(0)
  x = rng.standard_normal((2, 6, 3, 4, 5), np.float32)
  kernel = rng.standard_normal((taps, 5), np.float32)
  cache = np.zeros((2, taps - 1, 3, 4, 5), np.float32)
  frames = []
  for t in range(6):
    out, cache = ops.temporal_aggregation_step(x[:, t], cache, kernel)
    frames.append(out)
  want = _conv1d(x, kernel, taps - 1, 0)
  np.testing.assert_allclose(np.stack(frames, axis=1), want, rtol=1e-5, atol=1e-6)


def test_online_keeps_its_dtypes():
  x, kernel = jnp.ones((1, 2, 2, 3), jnp.bfloat16), jnp.ones((3, 3))
  cache = jnp.zeros((1, 2, 2, 2, 3), jnp.float32)
  out, kept = ops.temporal_aggregation_step(x, cache, kernel)
  assert out.dtype == jnp.bfloat16
  assert kept.dtype == jnp.float32


@pytest.mark.parametrize(
  ("cache", "kernel", "message"),
  [
    ((1, 3, 2, 2, 6), (3, 6), r"cache must be \(1, 2, 2, 2, 6\)"),
    ((1, 2, 2, 2, 6), (3, 5), "channels differ"),
    ((1, 2, 2, 2, 6), (0, 6), "kernel must be"),
  ],
)
def test_online_refuses_what_does_not_fit(cache, kernel, message):
  x = np.zeros((1, 2, 2, 6), np.float32)
  with pytest.raises(ValueError, match=message):
    ops.temporal_aggregation_step(x, np.zeros(cache), np.zeros(kernel))


@pytest.mark.parametrize(
  ("taps", "causal"), [(3, False), (5, False), (2, True), (3, True)]
)
def test_gradients_match_torch(taps, causal):
  rng = np.random.default_rng(1)
  x = rng.standard_normal((2, 6, 2, 3, 4), np.float32)
  kernel = rng.standard_normal((taps, 4), np.float32)
  weight = rng.standard_normal(x.shape, np.float32)

  def loss(x, kernel):
    out = ops.temporal_aggregation(x, kernel, causal=causal)
    return jnp.sum(weight * out)

  got = jax.grad(loss, (0, 1))(x, kernel)

  x_t = torch.tensor(x, requires_grad=True)
  k_t = torch.tensor(kernel, requires_grad=True)
  sides = (taps - 1, 0) if causal else (taps // 2, taps // 2)
  padded = torch.nn.functional.pad(x_t, (0, 0, 0, 0, 0, 0, *sides))
  windows = padded.unfold(1, taps, 1)  # (B, T, H, W, C, K)
  out = torch.einsum("bthwck,kc->bthwc", windows, k_t).relu()
  (out * torch.tensor(weight)).sum().backward()
  np.testing.assert_allclose(got[0], x_t.grad, rtol=1e-4, atol=1e-5)
  np.testing.assert_allclose(got[1], k_t.grad, rtol=1e-4, atol=1e-5)


def test_temporal_shift_is_a_special_case():
  x = np.random.default_rng(2).standard_normal((2, 5, 2, 2, 16), np.float32)
  kernel = np.zeros((3, 16), np.float32)
  kernel[2, :2] = 1  # Channels 0 and 1 read the next frame,
  kernel[0, 2:4] = 1  # 2 and 3 the one before,
  kernel[1, 4:] = 1  # the others stay.

  got = ops.temporal_aggregation(x, kernel)

  want = jax.nn.relu(ops.temporal_shift(x, fold_div=8))
  np.testing.assert_array_equal(got, want)


@settings(max_examples=20, deadline=None)
@given(frames=st.integers(1, 6), channels=st.integers(1, 5), reach=st.integers(0, 3))
def test_reversing_clip_and_taps_reverses_the_result(frames, channels, reach):
  rng = np.random.default_rng(frames)
  x = rng.standard_normal((1, frames, 1, 2, channels), np.float32)
  kernel = rng.standard_normal((2 * reach + 1, channels), np.float32)
  forward = ops.temporal_aggregation(x, kernel)
  backward = ops.temporal_aggregation(x[:, ::-1], kernel[::-1])
  np.testing.assert_allclose(forward, backward[:, ::-1], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16, jnp.float32])
def test_keeps_dtype(dtype):
  x = jnp.ones((1, 2, 2, 2, 3), dtype)
  got = ops.temporal_aggregation(x, jnp.ones((3, 3), jnp.float32))
  assert got.dtype == dtype


@pytest.mark.parametrize("kernel", [(2, 6), (3, 5), (3,), (3, 6, 1)])
def test_rejects_wrong_kernel(kernel):
  with pytest.raises(ValueError, match="kernel"):
    ops.temporal_aggregation(np.zeros((1, 4, 2, 2, 6)), np.zeros(kernel))


@pytest.mark.parametrize(
  "x", [np.zeros((4, 2, 2, 6)), np.zeros((1, 4, 2, 2, 6), np.int32)]
)
def test_rejects_wrong_features(x):
  with pytest.raises(ValueError, match=r"x must be .* got"):
    ops.temporal_aggregation(x, np.zeros((3, 6)))
