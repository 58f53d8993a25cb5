import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from temporal_jax import layers
from tests.support.examples import layer_example

LAYER_EXAMPLES = {
  "LayerNorm": layer_example(layers.LayerNorm),
}


@pytest.mark.parametrize("epsilon", [1e-5, 1e-6, 0.1])
@pytest.mark.parametrize("shape", [(2, 3, 4, 7), (5, 64)])
@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_matches_torch(shape, epsilon, offset):
  rng = np.random.default_rng(0)
  x = rng.standard_normal(shape, np.float32) + np.float32(offset)
  scale, bias = rng.standard_normal((2, shape[-1]), np.float32)
  layer = layers.LayerNorm(epsilon=epsilon)
  params = {"params": {"scale": scale, "bias": bias}}
  want = torch.nn.functional.layer_norm(
    torch.tensor(x.astype(np.float64)),
    shape[-1:],
    *map(torch.tensor, (scale.astype(np.float64), bias.astype(np.float64))),
    epsilon,
  )
  # One pass for the variance would lose four digits behind the offset.
  np.testing.assert_allclose(
    jax.jit(layer.apply)(params, x), want, rtol=1e-4, atol=1e-4
  )


def test_starts_as_the_plain_norm():
  layer = layers.LayerNorm()
  assert layer.epsilon == 1e-5
  params = layer.init(jax.random.key(0), np.ones((2, 3), np.float32))["params"]
  np.testing.assert_array_equal(params["scale"], 1)
  np.testing.assert_array_equal(params["bias"], 0)


def test_statistics_are_float32_in_bfloat16():
  x = jnp.asarray(64 + np.random.default_rng(0).standard_normal((4, 512)))
  x = x.astype(jnp.bfloat16)
  layer = layers.LayerNorm(dtype=jnp.bfloat16)
  with jax.numpy_dtype_promotion("standard"):  # flax mixes dtypes.
    got, params = layer.init_with_output(jax.random.key(0), x)
  assert got.dtype == jnp.bfloat16
  assert params["params"]["scale"].dtype == jnp.float32
  want = layers.LayerNorm().apply(params, x.astype(jnp.float32))
  error = np.linalg.norm(np.asarray(got, np.float32) - want)
  assert error <= 1e-2 * np.linalg.norm(want)
