import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax.layers.flat_dense import (
  FlatDense,
  _project_apart,
  _project_together,
)


@pytest.mark.parametrize("use_bias", [False, True])
@pytest.mark.parametrize(
  ("inner", "outer"), [((12,), (2, 5)), ((3, 4), (6,)), ((2, 6), (5, 2))]
)
@pytest.mark.parametrize("parts", [None, 3])
def test_is_flax_dense_general(inner, outer, use_bias, parts):
  x = np.random.default_rng(0).standard_normal((4, 7, *inner)).astype(np.float32)
  settings = {"use_bias": use_bias, "bias_init": nn.initializers.normal()}
  axes = tuple(range(-len(inner), 0))
  features = outer if parts is None else (parts, *outer)
  want = nn.DenseGeneral(features, axis=axes, **settings)
  got = FlatDense(inner, outer, parts, use_bias=use_bias)
  variables = want.init(jax.random.key(0), x)
  flat = x.reshape(4, 7, -1)
  ours = got.init(jax.random.key(0), flat)
  assert jax.tree.map(jnp.shape, ours) == jax.tree.map(jnp.shape, variables)
  np.testing.assert_array_equal(ours["params"]["kernel"], variables["params"]["kernel"])
  result = got.apply(variables, flat)
  result = result if parts is None else jnp.stack(result, axis=2)
  result = result.reshape(4, 7, *features)
  np.testing.assert_allclose(result, want.apply(variables, x), rtol=1e-5, atol=1e-6)
  low = FlatDense(inner, outer, parts, use_bias=use_bias, dtype=jnp.bfloat16)
  for y in jax.tree.leaves(low.apply(variables, flat)):
    assert y.dtype == jnp.bfloat16


@pytest.mark.parametrize("use_bias", [False, True])
def test_parts_are_the_same_together_and_apart(use_bias):
  rng = np.random.default_rng(0)
  shapes = [(2, 4, 6), (6, 3, 2, 5), (1, 3, 2, 5)][: 2 + use_bias]
  arrays = [rng.standard_normal(shape).astype(np.float32) for shape in shapes]
  both = zip(_project_apart(*arrays), _project_together(*arrays), strict=True)
  for ours, theirs in both:
    assert ours.shape == (2, 4, 10)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
