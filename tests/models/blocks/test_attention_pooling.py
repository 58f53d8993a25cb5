import jax
import numpy as np
import pytest
import torch

from temporal_jax import layers
from temporal_jax.models import TransformerBlock
from temporal_jax.models.blocks.attention_pooling import (
  AttentionPooling,
  AttentivePooling,
)


def _variables(module, tokens):
  shapes = jax.eval_shape(module.init, jax.random.key(0), tokens)
  rng = np.random.default_rng(0)
  return jax.tree.map(
    lambda leaf: 0.3 * rng.standard_normal(leaf.shape, np.float32), shapes
  )


def test_is_torch_attention_of_a_probe_and_an_mlp():
  tokens = np.random.default_rng(1).standard_normal((2, 3, 5, 8), np.float32)
  module = AttentionPooling(2, 12, activation="gelu_tanh", epsilon=1e-4)
  variables = _variables(module, tokens)
  got = jax.jit(module.apply)(variables, tokens)
  assert got.shape == (2, 3, 8)

  params = jax.tree.map(torch.tensor, variables["params"])
  parts = [params["attention"][name] for name in ("query", "key", "value")]
  theirs = torch.nn.MultiheadAttention(8, 2, batch_first=True)
  with torch.no_grad():
    theirs.in_proj_weight.copy_(torch.cat([p["kernel"].reshape(8, 8).T for p in parts]))
    theirs.in_proj_bias.copy_(torch.cat([p["bias"].reshape(8) for p in parts]))
    out = params["attention"]["out"]
    theirs.out_proj.weight.copy_(out["kernel"].reshape(8, 8).T)
    theirs.out_proj.bias.copy_(out["bias"])
    flat = torch.tensor(tokens).reshape(6, 5, 8)
    probe = params["probe"].expand(6, 1, 8)
    y = theirs(probe, flat, flat)[0][:, 0]
    norm, mlp = params["norm"], params["mlp"]
    hidden = torch.nn.functional.layer_norm(y, (8,), norm["scale"], norm["bias"], 1e-4)
    hidden = hidden @ mlp["expand"]["kernel"] + mlp["expand"]["bias"]
    hidden = torch.nn.functional.gelu(hidden, approximate="tanh")
    want = y + hidden @ mlp["contract"]["kernel"] + mlp["contract"]["bias"]
  np.testing.assert_allclose(got.reshape(6, 8), want, rtol=1e-4, atol=1e-5)


def test_the_order_of_tokens_does_not_matter():
  tokens = np.random.default_rng(1).standard_normal((1, 5, 8), np.float32)
  module = AttentionPooling(4, 12)
  variables = _variables(module, tokens)
  forth, back = (module.apply(variables, x) for x in (tokens, tokens[:, ::-1]))
  np.testing.assert_allclose(forth, back, rtol=1e-5, atol=1e-5)


def test_heads_must_divide_the_width():
  with pytest.raises(ValueError, match="3 heads do not divide"):
    AttentionPooling(3, 12).init(jax.random.key(0), np.zeros((1, 5, 8), np.float32))


def test_reads_with_a_query_what_blocks_made_of_all_tokens():
  tokens = np.random.default_rng(1).standard_normal((2, 5, 8), np.float32)
  module = AttentivePooling(2, num_blocks=2, activation="gelu_tanh", epsilon=1e-4)
  variables = _variables(module, tokens)
  got = jax.jit(module.apply)(variables, tokens)
  assert got.shape == (2, 8)

  params = variables["params"]
  settings = {"activation": "gelu_tanh", "epsilon": 1e-4}
  x = tokens
  for name in ("block1", "block2"):
    x, _ = TransformerBlock(2, **settings).apply({"params": params[name]}, x)
  norm = layers.LayerNorm(epsilon=1e-4)
  x = norm.apply({"params": params["norm"]}, x)
  query = params["query"]
  probe = np.broadcast_to(query["probe"], (2, 1, 8))
  attend = layers.CrossAttention(2, projected=False)
  y = probe + attend.apply({"params": query["attention"]}, probe, x)
  z = norm.apply({"params": query["norm"]}, y)
  mlp = layers.Mlp(32, activation="gelu_tanh")
  want = y + mlp.apply({"params": query["mlp"]}, z)
  np.testing.assert_allclose(got, want[:, 0], rtol=1e-4, atol=1e-5)


def test_blocks_computed_again_have_the_same_gradients():
  tokens = np.random.default_rng(1).standard_normal((2, 5, 8), np.float32)
  module = AttentivePooling(2, num_blocks=1)
  variables = _variables(module, tokens)
  gradients = (
    jax.grad(lambda v, m=m: (m.apply(v, tokens) ** 2).sum())(variables)
    for m in (module, module.clone(remat=True))
  )
  jax.tree.map(
    lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4), *gradients
  )
