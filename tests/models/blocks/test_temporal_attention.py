import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax.models.blocks.temporal_attention import TemporalAttentionAggregation


def _draw(*shape, seed=0):
  return np.random.default_rng(seed).standard_normal(shape, np.float32)


def _init(module, x):
  params = module.init(jax.random.key(0), x)
  return jax.tree.map(
    lambda leaf: leaf + 0.1 * _draw(*leaf.shape, seed=leaf.size), params
  )


def test_parts_and_sizes():
  module = TemporalAttentionAggregation(2, 5, num_blocks=2, hidden=7)
  params = module.init(jax.random.key(0), _draw(2, 3, 8))["params"]
  assert set(params) == {"class_token", "block1", "block2", "norm", "expand", "head"}
  np.testing.assert_array_equal(params["class_token"], np.zeros(8))
  assert set(params["block1"]["attention"]["qkv"]) == {"kernel"}
  assert params["expand"]["kernel"].shape == (8, 7)
  assert params["head"]["kernel"].shape == (7, 5)


@pytest.mark.parametrize("frames", [1, 4])
def test_without_classes_it_is_the_features(frames):
  x = _draw(2, frames, 8)
  with_head = TemporalAttentionAggregation(2, 5, hidden=7)
  params = _init(with_head, x)
  logits, aux = jax.jit(with_head.apply)(params, x)
  assert logits.shape == (2, 5)
  without = TemporalAttentionAggregation(2)
  kept = {k: params["params"][k] for k in ("class_token", "block1")}
  features, more = without.apply({"params": kept}, x)
  assert features.shape == (2, 8)
  np.testing.assert_array_equal(features, more["features"])
  np.testing.assert_allclose(aux["features"], features, rtol=1e-5, atol=1e-6)


def test_order_of_frames_does_not_matter_but_their_content_does():
  x = _draw(2, 5, 8)
  module = TemporalAttentionAggregation(2, 5)
  params = _init(module, x)
  want, _ = module.apply(params, x)
  shuffled, _ = module.apply(params, x[:, [3, 0, 4, 1, 2]])
  np.testing.assert_allclose(shuffled, want, rtol=1e-4, atol=1e-5)
  changed = x.copy()
  changed[:, 4, 0] += 1  # A norm would not see all channels move.
  assert not np.allclose(module.apply(params, changed)[0], want, atol=1e-3)


def test_dropout_is_for_training():
  x = _draw(2, 3, 8)
  module = TemporalAttentionAggregation(2, 5)
  params = _init(module, x)
  still, _ = module.apply(params, x)
  rngs = {"dropout": jax.random.key(0)}
  dropped, aux = module.apply(params, x, True, rngs=rngs)
  assert not np.allclose(dropped, still, atol=1e-3)
  np.testing.assert_allclose(
    aux["features"], module.apply(params, x)[1]["features"], rtol=1e-5
  )


def test_logits_are_float32():
  module = TemporalAttentionAggregation(2, 5, dtype=jnp.bfloat16)
  with jax.numpy_dtype_promotion("standard"):  # flax's norm mixes dtypes.
    (logits, aux), params = module.init_with_output(jax.random.key(0), _draw(2, 3, 8))
  assert logits.dtype == jnp.float32
  assert aux["features"].dtype == jnp.bfloat16
  assert params["params"]["class_token"].dtype == jnp.float32


def test_rejects_other_ranks():
  with pytest.raises(ValueError, match=r"x must be \(B, T, D\)"):
    TemporalAttentionAggregation(2).init(jax.random.key(0), _draw(2, 3, 4, 8))
