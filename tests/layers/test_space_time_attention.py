import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax import layers, ops
from tests.support.examples import CLIP_TOKENS, layer_example

LAYER_EXAMPLES = {
  "JointAttention": layer_example(layers.JointAttention, CLIP_TOKENS, num_heads=2),
  "TemporalAttention": layer_example(
    layers.TemporalAttention, CLIP_TOKENS, num_heads=2
  ),
}


def _draw(*shape, seed=0):
  return np.random.default_rng(seed).standard_normal(shape, np.float32)


def _project(params, x):
  """Queries, keys and values (3, B, T, N, M, d)."""
  kernel, bias = params["qkv"]["kernel"], params["qkv"]["bias"]
  bias = bias.reshape(3, 1, 1, 1, *bias.shape[1:])
  return jnp.einsum("btnc,cmhd->mbtnhd", x, kernel) + bias


def _unite(params, x):
  """Projects the heads (B, T, N, M, d)."""
  out = jnp.einsum("btnhd,hdc->btnc", x, params["out"]["kernel"])
  return out + params["out"]["bias"].reshape(1, 1, 1, -1)


def _init(layer, x):
  """Parameters that are nowhere zero."""
  params = layer.init(jax.random.key(0), x)
  return jax.tree.map(
    lambda leaf: leaf + 0.2 * _draw(*leaf.shape, seed=leaf.size), params
  )


def test_joint_attention_is_the_operator_between_projections():
  x = _draw(2, 3, 4, 8)
  layer = layers.JointAttention(2)
  params = _init(layer, x)
  got, aux = jax.jit(layer.apply)(params, x)
  attended = ops.joint_attention(*_project(params["params"], x))
  assert aux == {}
  np.testing.assert_allclose(
    got, _unite(params["params"], attended), rtol=1e-4, atol=1e-5
  )


@pytest.mark.parametrize("qkv_bias", [True, False])
def test_joint_attention_takes_the_weights_of_an_image_network(qkv_bias):
  x = _draw(2, 1, 4, 8)
  joint = layers.JointAttention(2, qkv_bias)
  within = layers.SelfAttention(2, qkv_bias)
  params = within.init(jax.random.key(0), x)
  shapes = jax.tree.map(jnp.shape, joint.init(jax.random.key(1), x))
  assert shapes == jax.tree.map(jnp.shape, params)
  # In a clip of one frame both are the same.
  np.testing.assert_allclose(
    joint.apply(params, x)[0], within.apply(params, x), rtol=1e-5, atol=1e-6
  )


def _expected_branch(params, x, order=None):
  """The branch of patch tokens, written with the operators."""
  norm = layers.LayerNorm(epsilon=1e-6)
  y = norm.apply({"params": params["norm"]}, x[:, :, 1:])
  if order is not None:
    y = ops.permute_patches(y, order)
  y = ops.temporal_attention(*_project(params["attention"], y))
  y = _unite(params["attention"], y)
  if order is not None:
    y = ops.permute_patches(y, order, inverse=True)
  return y @ params["out"]["kernel"] + params["out"]["bias"].reshape(1, 1, 1, -1)


@pytest.mark.parametrize("aligned", [False, True])
def test_temporal_attention_is_the_operator_between_projections(aligned):
  x = _draw(2, 4, 6, 8)
  layer = layers.TemporalAttention(2, aligned)
  params = _init(layer, x)
  got, aux = jax.jit(layer.apply)(params, x)
  order = ops.match_patches(x[:, :, 1:]) if aligned else None
  want = _expected_branch(params["params"], x, order)
  assert aux == {}
  np.testing.assert_allclose(got[:, :, 1:], want, rtol=1e-4, atol=1e-5)
  np.testing.assert_array_equal(got[:, :, 0], 0)  # The class tokens' branch.


@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("shape", [(1, 1, 5, 8), (2, 3, 2, 8)])
def test_temporal_attention_starts_at_zero(shape, aligned):
  x = _draw(*shape)
  layer = layers.TemporalAttention(2, aligned)
  (got, _), params = layer.init_with_output(jax.random.key(0), x)
  np.testing.assert_array_equal(got, np.zeros(shape))
  out = params["params"]["out"]
  np.testing.assert_array_equal(out["kernel"], 0)
  np.testing.assert_array_equal(out["bias"], 0)
  assert np.any(params["params"]["attention"]["qkv"]["kernel"])


def test_alignment_undoes_the_motion_of_patches():
  rng = np.random.default_rng(0)
  still = np.repeat(_draw(1, 1, 7, 8), 4, axis=1)  # One class token, 6 patches.
  still = still * np.array([1.0, 2.0, 3.0, 4.0], np.float32).reshape(1, 4, 1, 1)
  moving, place = still.copy(), np.zeros((4, 6), int)
  for t in range(4):
    place[t] = rng.permutation(6) if t else np.arange(6)
    moving[0, t, 1 + place[t]] = still[0, t, 1:]
  layer = layers.TemporalAttention(2, aligned=True)
  params = _init(layer, still)
  want, _ = layer.apply(params, still)
  got, _ = layer.apply(params, moving)
  for t in range(4):
    np.testing.assert_allclose(
      got[0, t, 1 + place[t]], want[0, t, 1:], rtol=1e-4, atol=1e-5
    )
  unaligned, _ = layers.TemporalAttention(2).apply(params, moving)
  assert not np.allclose(got, unaligned, atol=1e-2)


def test_gradients_reach_all_parameters_and_are_finite():
  x = _draw(1, 3, 5, 8)
  layer = layers.TemporalAttention(2, aligned=True)
  params = _init(layer, x)
  gradients = jax.grad(lambda p: jnp.sum(layer.apply(p, x)[0] ** 2))(params)
  for leaf in jax.tree.leaves(gradients):
    assert np.isfinite(leaf).all()
    assert np.any(leaf)


@pytest.mark.parametrize(
  "layer",
  [
    layers.JointAttention(2),
    layers.TemporalAttention(2),
    layers.TemporalAttention(2, aligned=True),
  ],
)
@jax.numpy_dtype_promotion("standard")  # flax's norm mixes dtypes.
def test_computes_in_the_dtype_of_its_input_or_its_own(layer):
  x = _draw(1, 3, 5, 8)
  params = _init(layer, x)
  want, _ = layer.apply(params, x)
  low = jnp.asarray(x, jnp.bfloat16)
  got, _ = layer.apply(params, low)
  assert got.dtype == jnp.bfloat16
  error = np.linalg.norm(np.asarray(got, np.float32) - want)
  assert error <= 3e-2 * np.linalg.norm(want)
  assert layer.clone(dtype=jnp.bfloat16).apply(params, x)[0].dtype == (jnp.bfloat16)


@pytest.mark.parametrize(
  "layer", [layers.JointAttention(2), layers.TemporalAttention(2)]
)
def test_rejects_other_ranks(layer):
  with pytest.raises(ValueError, match="x must be"):
    layer.init(jax.random.key(0), _draw(3, 5, 8))


def test_joint_attention_has_one_token_of_copies():
  x = _draw(2, 3, 5, 8)
  x[:, :, 0] = x[:, :1, 0]
  layer = layers.JointAttention(2, shared_class_token=True)
  params = _init(layer, x)
  got, _ = jax.jit(layer.apply)(params, x)
  flat = jnp.concatenate([x[:, 0, :1], x[:, :, 1:].reshape(2, -1, 8)], axis=1)
  want = layers.SelfAttention(2).apply(params, flat)
  for frame in range(3):
    np.testing.assert_allclose(got[:, frame, 0], want[:, 0], rtol=1e-4, atol=1e-5)
  patches = got[:, :, 1:].reshape(2, -1, 8)
  np.testing.assert_allclose(patches, want[:, 1:], rtol=1e-4, atol=1e-5)


def test_joint_attention_turns_queries_and_keys_by_their_places():
  x, grid = _draw(2, 3, 4, 16), (2, 2)
  layer = layers.JointAttention(2, rotary=ops.space_time_rotary_embedding)
  variables = layer.init(jax.random.key(0), x, grid=grid)
  got, _ = jax.jit(lambda v, x: layer.apply(v, x, grid=grid))(variables, x)
  q, k, v = _project(variables["params"], x)
  shape = (2, 12, *q.shape[3:])
  q, k = (
    ops.space_time_rotary_embedding(y.reshape(shape), grid=(3, *grid)) for y in (q, k)
  )
  attended = ops.attention(q, k, v.reshape(shape)).reshape(v.shape)
  want = _unite(variables["params"], attended)
  np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


def test_joint_attention_turns_patches_after_a_shared_class_token():
  x = _draw(2, 3, 5, 16)
  x[:, :, 0] = x[:, :1, 0]
  rotary = ops.space_time_rotary_embedding
  layer = layers.JointAttention(2, shared_class_token=True, rotary=rotary)
  variables = layer.init(jax.random.key(0), x, grid=(2, 2))
  got, _ = layer.apply(variables, x, grid=(2, 2))
  flat = jnp.concatenate([x[:, 0, :1], x[:, :, 1:].reshape(2, -1, 16)], axis=1)
  want = layers.SelfAttention(2, rotary=rotary).apply(variables, flat, grid=(3, 2, 2))
  np.testing.assert_allclose(got[:, 0, 0], want[:, 0], rtol=1e-4, atol=1e-5)
  np.testing.assert_allclose(
    got[:, :, 1:].reshape(2, -1, 16), want[:, 1:], rtol=1e-4, atol=1e-5
  )


def test_joint_attention_refuses_positions_of_other_tokens():
  layer = layers.JointAttention(2, rotary=ops.space_time_rotary_embedding)
  with pytest.raises(ValueError, match="2 x 2 patches, got 5 tokens"):
    layer.init(jax.random.key(0), _draw(1, 3, 5, 16), grid=(2, 2))
  with pytest.raises(ValueError, match="need the grid of the patches"):
    layer.init(jax.random.key(0), _draw(1, 3, 4, 16))
