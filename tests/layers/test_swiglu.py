import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from temporal_jax import layers
from tests.support.examples import layer_example

LAYER_EXAMPLES = {
  "SwiGlu": layer_example(layers.SwiGlu, hidden=5, inner_norm=True),
}


def _draw(*shape, seed=0):
  return np.random.default_rng(seed).standard_normal(shape, np.float32)


@pytest.mark.parametrize("inner_norm", [False, True])
def test_matches_torch(inner_norm):
  x = _draw(2, 3, 6)
  layer = layers.SwiGlu(7, inner_norm, epsilon=0.1)
  params = layer.init(jax.random.key(0), x)
  params = jax.tree.map(lambda a: a + 0.1, params)  # Biases start at zero.
  got = jax.jit(layer.apply)(params, x)

  weights = jax.tree.map(lambda a: torch.tensor(np.array(a)), params["params"])

  def dense(name, x):
    return x @ weights[name]["kernel"] + weights[name]["bias"]

  x = torch.tensor(x)
  hidden = torch.nn.functional.silu(dense("gate", x)) * dense("expand", x)
  assert ("norm" in weights) == inner_norm
  if inner_norm:
    norm = weights["norm"]
    hidden = torch.nn.functional.layer_norm(
      hidden, (7,), norm["scale"], norm["bias"], 0.1
    )
  np.testing.assert_allclose(got, dense("contract", hidden), rtol=1e-4)


def test_dropout_is_for_training():
  x = _draw(64, 6)
  layer = layers.SwiGlu(8, dropout=0.5)
  params = layer.init(jax.random.key(0), x)
  still = layer.apply(params, x)
  assert np.all(np.asarray(still) != 0)
  dropped = layer.apply(params, x, True, rngs={"dropout": jax.random.key(1)})
  assert 0.4 < np.mean(np.asarray(dropped) == 0) < 0.6


def test_computes_in_its_dtype():
  layer = layers.SwiGlu(4, inner_norm=True, dtype=jnp.bfloat16)
  got, params = layer.init_with_output(jax.random.key(0), _draw(2, 3))
  assert got.dtype == jnp.bfloat16
  assert params["params"]["gate"]["kernel"].dtype == jnp.float32
