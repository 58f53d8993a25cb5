import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax import layers, ops
from tests.support.examples import layer_example

LAYER_EXAMPLES = {
  "PatchEmbedding": layer_example(
    layers.PatchEmbedding, (4, 6, 8, 3), features=5, patch_size=2
  ),
}


def _draw(*shape, seed=0):
  return np.random.default_rng(seed).standard_normal(shape, np.float32)


@pytest.mark.parametrize("use_bias", [True, False])
def test_calls_the_operator(use_bias):
  x = _draw(1, 7, 4, 6, 3)
  layer = layers.PatchEmbedding(
    5, 2, tubelet=3, temporal_stride=2, temporal_padding=1, use_bias=use_bias
  )
  params = layer.init(jax.random.key(0), x)["params"]
  assert params["kernel"].shape == (3, 2, 2, 3, 5)
  want = ops.patch_embedding(x, params["kernel"], temporal_stride=2, temporal_padding=1)
  if use_bias:
    params = {**params, "bias": np.arange(5, dtype=np.float32)}
    want += np.arange(5, dtype=np.float32).reshape(1, 1, 1, 1, 5)
  assert set(params) == ({"kernel", "bias"} if use_bias else {"kernel"})
  got = layer.apply({"params": params}, x)
  assert got.shape == (1, 4, 2, 3, 5)
  np.testing.assert_allclose(got, want, rtol=1e-6)


def test_kernel_of_one_frame_is_that_of_an_image():
  layer = layers.PatchEmbedding(256, 4)
  x = _draw(1, 2, 8, 4, 3)
  params = layer.init(jax.random.key(0), x)["params"]
  assert params["kernel"].shape == (4, 4, 3, 256)
  np.testing.assert_allclose(params["kernel"].std(), 1 / 48**0.5, rtol=0.05)
  np.testing.assert_array_equal(params["bias"], 0)


def test_computes_in_its_dtype():
  layer = layers.PatchEmbedding(5, 2, dtype=jnp.bfloat16)
  got, params = layer.init_with_output(jax.random.key(0), _draw(1, 2, 4, 4, 3))
  assert got.dtype == jnp.bfloat16
  assert params["params"]["kernel"].dtype == jnp.float32


def test_rejects_frames_the_patches_do_not_divide():
  with pytest.raises(ValueError, match="4 x 4 do not divide frames of 8 x 6"):
    layers.PatchEmbedding(5, 4).init(jax.random.key(0), _draw(1, 2, 8, 6, 3))
