"""Layers are parameters and one call into ops."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax import layers, ops
from tests.support.examples import CLIP_TOKENS, layer_example

LAYER_EXAMPLES = {
  "TemporalAggregation": layer_example(layers.TemporalAggregation),
  "TemporalShift": layer_example(layers.TemporalShift, segment=2),
  "TokenShift": layer_example(layers.TokenShift, CLIP_TOKENS),
}


def test_aggregation_calls_the_operator():
  x = np.random.default_rng(0).standard_normal((1, 4, 2, 2, 6), np.float32)
  layer = layers.TemporalAggregation(taps=5)
  variables = layer.init(jax.random.key(0), x)
  kernel = variables["params"]["kernel"]
  got, aux = layer.apply(variables, x)
  assert kernel.shape == (5, 6)
  assert kernel.dtype == jnp.float32
  assert aux == {}
  np.testing.assert_array_equal(got, ops.temporal_aggregation(x, kernel))


def test_aggregation_starts_as_the_reference():
  x = jnp.zeros((1, 1, 1, 1, 512))
  keys = jax.random.split(jax.random.key(0), 32)
  init = jax.vmap(lambda key: layers.TemporalAggregation().init(key, x))
  kernel = init(keys)["params"]["kernel"]
  np.testing.assert_allclose(kernel.std(), np.sqrt(2 / 512), rtol=0.02)
  np.testing.assert_allclose(kernel.mean(), 0, atol=0.002)


def test_aggregation_computes_in_its_dtype():
  layer = layers.TemporalAggregation(dtype=jnp.bfloat16)
  x = np.zeros((1, 2, 1, 1, 4), np.float32)
  (got, _), variables = layer.init_with_output(jax.random.key(0), x)
  assert got.dtype == jnp.bfloat16
  assert variables["params"]["kernel"].dtype == jnp.float32


def test_shift_calls_the_operator():
  x = np.random.default_rng(0).standard_normal((1, 4, 2, 2, 8), np.float32)
  layer = layers.TemporalShift(fold_div=4, direction="past")
  got, aux = layer.apply({}, x)
  want = ops.temporal_shift(x, fold_div=4, direction="past")
  assert aux == {}
  np.testing.assert_array_equal(got, want)


ONLINE = [
  layers.TemporalShift(fold_div=4, direction="past"),
  layers.TemporalAggregation(taps=4, causal=True),
]


@pytest.mark.parametrize("layer", ONLINE, ids=lambda layer: type(layer).__name__)
def test_online_gives_what_the_clip_does(layer):
  x = np.random.default_rng(0).standard_normal((2, 6, 3, 2, 8), np.float32)
  variables = layer.init(jax.random.key(0), x)
  assert "cache" not in variables
  assert layer.online
  kept, frames = {}, []
  for t in range(6):
    (out, aux), kept = layer.apply(
      {**variables, **kept}, x[:, t : t + 1], mutable=["cache"]
    )
    frames.append(out)
    assert aux == {}
  want, _ = layer.apply(variables, x)
  got = np.concatenate(frames, axis=1)
  np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
  "layer",
  [
    layers.TemporalShift(),
    layers.TemporalShift(direction="past", window=2),
    layers.TemporalShift(direction="past", segment=2),
    layers.TemporalAggregation(),
  ],
)
def test_what_needs_later_frames_is_not_online(layer):
  x = np.zeros((1, 1, 2, 2, 8), np.float32)
  variables = layer.init(jax.random.key(0), x)
  assert not layer.online
  with pytest.raises(ValueError, match="more than past frames"):
    layer.apply(variables, x, mutable=["cache"])


@pytest.mark.parametrize("layer", ONLINE, ids=lambda layer: type(layer).__name__)
def test_online_takes_a_frame_at_a_time(layer):
  x = np.zeros((1, 2, 2, 2, 8), np.float32)
  variables = layer.init(jax.random.key(0), x)
  with pytest.raises(ValueError, match=r"frame by frame, got .*\(1, 2, 2"):
    layer.apply(variables, x, mutable=["cache"])


def test_even_taps_are_refused_by_their_name():
  x = jnp.zeros((1, 4, 2, 2, 3))
  with pytest.raises(ValueError, match="taps must be odd and positive, got 4"):
    layers.TemporalAggregation(taps=4).init(jax.random.key(0), x)
