import functools
from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from temporal_jax import layers, ops
from tests.support.examples import CLIP_TOKENS, layer_example

LAYER_EXAMPLES = {
  "SelfAttention": layer_example(
    layers.SelfAttention, CLIP_TOKENS, num_heads=2, inner_norm=True, key_bias=False
  ),
}


def _draw(*shape, seed=0):
  return np.random.default_rng(seed).standard_normal(shape, np.float32)


def _init(layer, x):
  """Parameters that are nowhere zero, biases neither."""
  params = layer.init(jax.random.key(0), x)
  leaves, tree = jax.tree.flatten(params)
  keys = jax.random.split(jax.random.key(1), len(leaves))
  values = [
    leaf + 0.1 * jax.random.normal(key, leaf.shape)
    for key, leaf in zip(keys, leaves, strict=True)
  ]
  return jax.tree.unflatten(tree, values)


@pytest.mark.parametrize("masked", [False, True])
def test_matches_torch(masked):
  x = _draw(3, 5, 12)
  layer = layers.SelfAttention(4)
  params = _init(layer, x)
  mask = np.tri(5, dtype=bool) if masked else None
  got = jax.jit(layer.apply)(params, x, mask=mask)

  weights = jax.tree.map(lambda a: torch.tensor(np.array(a)), params["params"])
  theirs = torch.nn.MultiheadAttention(12, 4, batch_first=True)
  with torch.no_grad():
    theirs.in_proj_weight.copy_(weights["qkv"]["kernel"].reshape(12, 36).T)
    theirs.in_proj_bias.copy_(weights["qkv"]["bias"].reshape(36))
    theirs.out_proj.weight.copy_(weights["out"]["kernel"].reshape(12, 12).T)
    theirs.out_proj.bias.copy_(weights["out"]["bias"])
    x = torch.tensor(x)
    hidden = torch.tensor(~mask) if masked else None
    want, _ = theirs(x, x, x, attn_mask=hidden)
  np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


def test_leading_axes_are_a_batch():
  x = _draw(2, 3, 4, 8)
  layer = layers.SelfAttention(2)
  params = _init(layer, x)
  want = [[layer.apply(params, tokens) for tokens in clip] for clip in x]
  np.testing.assert_allclose(
    layer.apply(params, x), np.array(want), rtol=1e-5, atol=1e-6
  )


def test_qkv_may_have_no_bias():
  x = _draw(1, 4, 8)
  params = layers.SelfAttention(2, qkv_bias=False).init(jax.random.key(0), x)
  assert set(params["params"]["qkv"]) == {"kernel"}
  assert set(params["params"]["out"]) == {"kernel", "bias"}


class _Recorder(nn.Module):
  """Notes what it is called with, and doubles it."""

  note: Callable

  def __call__(self, x, train=False):
    self.note((x.shape, train))
    return 2 * x, {"ignored": 0}


def test_keys_values_sees_keys_then_values_with_heads_contiguous():
  x = _draw(2, 3, 4, 8)
  calls = []
  layer = layers.SelfAttention(
    2, keys_values=lambda name: _Recorder(calls.append, name=name)
  )
  params = layers.SelfAttention(2).init(jax.random.key(0), x)
  got = layer.apply(params, x, True)
  assert calls == [((2, 3, 4, 8), True)] * 2
  qkv = jnp.einsum("btnc,cmhd->mbtnhd", x, params["params"]["qkv"]["kernel"])
  out = ops.attention(qkv[0], 2 * qkv[1], 2 * qkv[2])
  want = jnp.einsum("btnhd,hdc->btnc", out, params["params"]["out"]["kernel"])
  np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


def test_keys_values_with_shift_is_space_time_mixing():
  x = _draw(2, 4, 3, 16)
  shift = functools.partial(layers.TemporalShift, fold_div=4, window=2)
  layer = layers.SelfAttention(2, keys_values=shift)
  params = layer.init(jax.random.key(0), x)
  q, k, v = jnp.einsum("btnc,cmhd->mbtnhd", x, params["params"]["qkv"]["kernel"])
  out = ops.space_time_mixing_attention(q, k, v, fold_div=4, window=2)
  want = jnp.einsum("btnhd,hdc->btnc", out, params["params"]["out"]["kernel"])
  np.testing.assert_allclose(layer.apply(params, x), want, rtol=1e-5, atol=1e-6)


def test_computes_in_its_dtype():
  layer = layers.SelfAttention(2, dtype=jnp.bfloat16)
  got, params = layer.init_with_output(jax.random.key(0), _draw(1, 4, 8))
  assert got.dtype == jnp.bfloat16
  assert {leaf.dtype for leaf in jax.tree.leaves(params)} == {jnp.dtype(jnp.float32)}


def test_rejects_heads_that_do_not_divide():
  with pytest.raises(ValueError, match="3 heads do not divide"):
    layers.SelfAttention(3).init(jax.random.key(0), _draw(1, 4, 8))
