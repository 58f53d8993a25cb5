import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from temporal_jax import layers
from tests.support.examples import layer_example

LAYER_EXAMPLES = {
  "Mlp": layer_example(layers.Mlp, hidden=5),
}


def _draw(*shape, seed=0):
  return np.random.default_rng(seed).standard_normal(shape, np.float32)


@pytest.mark.parametrize("features", [None, 5])
def test_matches_torch(features):
  x = _draw(2, 3, 6)
  layer = layers.Mlp(7, features)
  params = layer.init(jax.random.key(0), x)
  params = jax.tree.map(lambda a: a + 0.1, params)  # Biases start at zero.
  got = jax.jit(layer.apply)(params, x)

  weights = jax.tree.map(lambda a: torch.tensor(np.array(a)), params["params"])
  hidden = torch.nn.functional.gelu(
    torch.tensor(x) @ weights["expand"]["kernel"] + weights["expand"]["bias"]
  )
  want = hidden @ weights["contract"]["kernel"] + weights["contract"]["bias"]
  assert got.shape == (2, 3, features or 6)
  np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


def test_dropout_is_for_training():
  x = _draw(64, 6)
  layer = layers.Mlp(64, dropout=0.5)
  params = layer.init(jax.random.key(0), x)
  still = layer.apply(params, x)
  np.testing.assert_array_equal(still, layers.Mlp(64).apply(params, x, train=True))
  dropped = layer.apply(params, x, True, rngs={"dropout": jax.random.key(1)})
  # The output is dropped, and where it is kept the hidden layer was.
  share = np.mean(np.asarray(dropped) == 0)
  assert 0.4 < share < 0.6
  kept = np.asarray(dropped) != 0
  assert not np.allclose(dropped[kept], 2 * still[kept], atol=1e-3)


def test_computes_in_its_dtype():
  layer = layers.Mlp(4, dtype=jnp.bfloat16)
  got, params = layer.init_with_output(jax.random.key(0), _draw(2, 3))
  assert got.dtype == jnp.bfloat16
  assert params["params"]["expand"]["kernel"].dtype == jnp.float32
