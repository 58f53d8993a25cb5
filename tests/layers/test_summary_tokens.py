import functools

import jax
import numpy as np
import pytest

from temporal_jax import layers, ops
from tests.support.examples import CLIP_TOKENS, layer_example

LAYER_EXAMPLES = {
  "SummaryTokens": layer_example(layers.SummaryTokens, CLIP_TOKENS),
}


def _draw(*shape, seed=0):
  return np.random.default_rng(seed).standard_normal(shape, np.float32)


def test_summary_tokens_call_the_operator():
  x = _draw(2, 3, 5, 8)
  got, aux = layers.SummaryTokens().apply({}, x)
  assert aux == {}
  np.testing.assert_array_equal(got, ops.append_summaries(x, x))


def test_summaries_are_of_the_unshifted_tokens():
  x = _draw(2, 3, 5, 8)
  shift = functools.partial(layers.TemporalShift, fold_div=4)
  got, _ = layers.SummaryTokens(shift).apply({}, x)
  np.testing.assert_array_equal(got[:, :, :5], ops.temporal_shift(x, fold_div=4))
  np.testing.assert_array_equal(got[:, :, 5:], ops.append_summaries(x, x)[:, :, 5:])


def _attention(tokens=None):
  summaries = functools.partial(layers.SummaryTokens, tokens)
  return layers.SelfAttention(2, keys_values=summaries)


def test_permuting_frames_permutes_the_output():
  x = _draw(1, 4, 5, 8)
  params = _attention().init(jax.random.key(0), x)
  apply = functools.partial(_attention().apply, params)
  order = np.array([3, 1, 0, 2])
  assert apply(x).shape == x.shape
  np.testing.assert_allclose(
    apply(x[:, order]), apply(x)[:, order], rtol=1e-5, atol=1e-6
  )


@pytest.mark.parametrize("tokens", [None, layers.TemporalShift])
def test_every_frame_sees_all(tokens):
  x = _draw(1, 6, 5, 8)
  params = _attention().init(jax.random.key(0), x)
  changed = x.copy()
  changed[:, 5, 1:] += 1
  attend = functools.partial(_attention(tokens).apply, params)
  differs = np.any(attend(changed) != attend(x), axis=(0, 2, 3))
  assert differs.all()


def test_with_shift_the_order_of_frames_matters():
  x = _draw(1, 4, 5, 8)
  layer = _attention(layers.TemporalShift)
  params = layer.init(jax.random.key(0), x)
  forward = layer.apply(params, x)
  backward = layer.apply(params, x[:, ::-1])[:, ::-1]
  assert not np.allclose(forward, backward, atol=1e-3)


def test_summarising_tokens_is_summarising_their_projection():
  x = _draw(1, 3, 5, 8)
  weight, bias = _draw(8, 6, seed=1), _draw(1, 1, 1, 6, seed=2)
  np.testing.assert_allclose(
    ops.append_summaries(x, x) @ weight + bias,
    ops.append_summaries(x @ weight + bias, x @ weight + bias),
    rtol=1e-4,
    atol=1e-5,
  )
