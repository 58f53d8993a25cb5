import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax import layers
from tests.support.examples import layer_example

LAYER_EXAMPLES = {
  "LayerScale": layer_example(layers.LayerScale),
}


def test_multiplies_channel_by_channel():
  x = np.random.default_rng(0).standard_normal((2, 3, 4), np.float32)
  scale = np.array([0.0, 1.0, -2.0, 0.5], np.float32)
  got = jax.jit(layers.LayerScale().apply)({"params": {"scale": scale}}, x)
  for channel in range(4):
    np.testing.assert_array_equal(got[..., channel], scale[channel] * x[..., channel])


@pytest.mark.parametrize("initial", [1e-6, 0.1])
def test_starts_at_its_initial_value(initial):
  layer = layers.LayerScale(initial)
  x = np.ones((2, 3), np.float32)
  got, params = layer.init_with_output(jax.random.key(0), x)
  np.testing.assert_allclose(got, initial, rtol=1e-6)
  assert params["params"]["scale"].shape == (3,)


def test_keeps_dtype():
  x = jnp.ones((2, 3), jnp.bfloat16)
  got, params = layers.LayerScale().init_with_output(jax.random.key(0), x)
  assert got.dtype == jnp.bfloat16
  assert params["params"]["scale"].dtype == jnp.float32
