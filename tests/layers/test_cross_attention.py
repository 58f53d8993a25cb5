import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from temporal_jax import layers
from tests.support.examples import layer_example

KEY = jax.random.key(0, impl="rbg")  # Compiles faster.

LAYER_EXAMPLES = {
  "CrossAttention": layer_example(layers.CrossAttention, (5, 8), (7, 8), num_heads=2),
}


def _draw(shape, seed=0):
  return np.random.default_rng(seed).standard_normal(shape, np.float32)


@pytest.mark.parametrize("bias", [True, False])
def test_matches_torch(bias):
  x, context = _draw((2, 3, 8)), _draw((2, 5, 6), 1)
  layer = layers.CrossAttention(2, qkv_bias=bias)
  variables = layer.init(KEY, x, context)
  variables = jax.tree.map(lambda p: _draw(p.shape, p.size), variables)

  def project(name, tokens):
    params = variables["params"][name]
    kernel = torch.tensor(params["kernel"].reshape(tokens.shape[-1], 8))
    out = torch.tensor(tokens) @ kernel
    if bias:
      out = out + torch.tensor(params["bias"].reshape(8))
    return out.reshape(2, -1, 2, 4).transpose(1, 2)

  mixed = torch.nn.functional.scaled_dot_product_attention(
    project("query", x), project("key", context), project("value", context)
  )
  out = variables["params"]["out"]
  want = mixed.transpose(1, 2).reshape(2, 3, 8).numpy()
  want = want @ out["kernel"].reshape(8, 8) + out["bias"].reshape(1, 1, 8)
  assert ("bias" in variables["params"]["query"]) == bias
  got = jax.jit(layer.apply)(variables, x, context)
  np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)


def test_computes_in_its_dtype():
  x = _draw((2, 3, 8))
  layer = layers.CrossAttention(2, dtype=jnp.bfloat16)
  got, variables = layer.init_with_output(KEY, x, x)
  assert got.dtype == jnp.bfloat16
  assert variables["params"]["query"]["kernel"].dtype == jnp.float32
  want = layers.CrossAttention(2).apply(variables, x, x)
  error = np.linalg.norm(got.astype(jnp.float32) - want)
  assert error < 3e-2 * np.linalg.norm(want)


def test_rejects_heads_that_do_not_divide():
  with pytest.raises(ValueError, match="3 heads do not divide"):
    layers.CrossAttention(3).init(KEY, np.zeros((2, 3, 8)), np.zeros((2, 3, 8)))


def test_ends_with_the_heads_side_by_side():
  x, context = _draw((2, 3, 8)), _draw((2, 5, 8), 1)
  joined = layers.CrossAttention(2)
  variables = joined.init(KEY, x, context)
  out = variables["params"].pop("out")
  heads = layers.CrossAttention(2, projected=False).apply(variables, x, context)
  want = joined.apply({"params": {**variables["params"], "out": out}}, x, context)
  got = heads @ out["kernel"].reshape(8, 8) + out["bias"].reshape(1, 1, 8)
  np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)
