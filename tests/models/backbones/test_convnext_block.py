import functools

import jax
import jax.numpy as jnp
import numpy as np
import torch

from temporal_jax import layers
from temporal_jax.models import Temporal
from temporal_jax.models.backbones.convnext import ConvNeXtBlock

ADAPTIVE = Temporal(
  convolution=functools.partial(
    layers.AdaptiveConv,
    axis="out",
    use_bias=True,
    route=functools.partial(layers.RouteAttention, ratio=2, head_width=2, bias=True),
  ),
  after_convolution=functools.partial(layers.StridedTemporalPooling, norm="layer"),
)


def _clip():
  return np.random.default_rng(0).standard_normal((2, 3, 6, 5, 8), np.float32)


def _random(block, x):
  rng = np.random.default_rng(1)
  return jax.tree.map(
    lambda leaf: 0.3 * rng.standard_normal(leaf.shape).astype(np.float32),
    jax.eval_shape(block.init, jax.random.key(0), x),
  )


def test_is_the_block_of_the_paper():
  x, block = _clip(), ConvNeXtBlock()
  variables = _random(block, x)
  params = jax.tree.map(torch.tensor, variables["params"])
  y = torch.nn.functional.conv2d(
    torch.tensor(x).flatten(0, 1).permute(0, 3, 1, 2),
    params["conv"]["kernel"].permute(2, 0, 1)[:, None],
    params["conv"]["bias"],
    padding=3,
    groups=8,
  ).permute(0, 2, 3, 1)
  norm, mlp = params["norm"], params["mlp"]
  y = torch.nn.functional.layer_norm(y, (8,), norm["scale"], norm["bias"], 1e-6)
  y = y @ mlp["expand"]["kernel"] + mlp["expand"]["bias"]
  y = torch.nn.functional.gelu(y)
  y = y @ mlp["contract"]["kernel"] + mlp["contract"]["bias"]
  want = torch.tensor(x) + (params["scale"]["scale"] * y).reshape(x.shape)
  got, aux = jax.jit(block.apply)(variables, x)
  assert aux == {}
  np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)


def test_starts_as_the_reference():
  block = ConvNeXtBlock()
  params = jax.jit(block.init)(jax.random.key(0), _clip())["params"]
  np.testing.assert_allclose(params["scale"]["scale"], np.full(8, 1e-6))
  for kernel in (params["conv"]["kernel"], params["mlp"]["expand"]["kernel"]):
    np.testing.assert_allclose(kernel.std(), 0.02, rtol=0.2)


def test_drops_whole_clips_in_training():
  x = np.concatenate([_clip()] * 8)
  block = ConvNeXtBlock(layer_scale=1.0, drop_path=0.5)
  variables = jax.jit(block.init)(jax.random.key(0), x)
  got, _ = block.apply(variables, x, train=True, rngs={"dropout": jax.random.key(1)})
  dropped = (got == x).all(axis=(1, 2, 3, 4))
  assert 0 < dropped.sum() < len(x)


def test_computes_in_its_dtype():
  block = ConvNeXtBlock(temporal=ADAPTIVE, dtype=jnp.bfloat16)
  x = jnp.asarray(_clip(), jnp.bfloat16)
  (got, _), variables = block.init_with_output(jax.random.key(0), x)
  assert got.dtype == jnp.bfloat16
  dtypes = {leaf.dtype for leaf in jax.tree.leaves(variables)}
  assert dtypes == {jnp.dtype(jnp.float32)}
