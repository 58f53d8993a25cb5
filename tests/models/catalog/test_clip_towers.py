"""Image towers of CLIP and EVA-02-CLIP, and ATM on them: their use."""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax import models
from temporal_jax.models.catalog.image_towers import EVA_BLOCK
from temporal_jax.models.catalog.openai_clip_sizes import CLIP_FORM
from temporal_jax.models.operators import arithmetic

SMALL = {"patch_size": 4, "width": 16, "depth": 2, "num_heads": 2, "grid": 3}
# Names of the forms and the rest of their arguments.
FORMS = {
  "clip": {**CLIP_FORM, "projection": 5},
  "eva": {"block": EVA_BLOCK, "projection": 5, "projection_bias": True},
  "in21k": {"representation": 5},
}


def _clip(*shape):
  return np.random.default_rng(0).standard_normal((*shape, 3), np.float32)


def _small(form, temporal=None, num_classes=4):
  return models.VisionTransformer(
    num_classes, **SMALL, **FORMS[form], temporal=temporal or models.Temporal()
  )


@functools.cache
def _apply(model):
  return jax.jit(model.apply)


def _random(model, clip):
  """Variables that are nowhere zero; statistics are positive."""
  variables = jax.eval_shape(model.init, jax.random.key(0), clip)
  rng = np.random.default_rng(1)

  def draw(path, leaf):
    value = 0.3 * rng.standard_normal(leaf.shape, np.float32)
    return value if path[0].key == "params" else 0.5 + np.abs(value)

  return jax.tree_util.tree_map_with_path(draw, variables)


@pytest.mark.parametrize("form", FORMS)
def test_classifies_the_average_of_the_frames_features(form):
  clip, model = _clip(2, 3, 12, 12), _small(form)
  variables = _random(model, clip)
  logits, aux = _apply(model)(variables, clip)
  assert aux["frame_features"].shape == (2, 3, 5)
  assert aux["class_tokens"].shape == (2, 3, 16)
  head = variables["params"]["head"]
  want = np.asarray(aux["features"]) @ head["kernel"] + head["bias"]
  np.testing.assert_allclose(logits, want, rtol=1e-4, atol=1e-5)
  features, _ = _apply(model.clone(num_classes=None))(
    {"params": {k: v for k, v in variables["params"].items() if k != "head"}},
    clip,
  )
  np.testing.assert_allclose(features, aux["features"], rtol=1e-5, atol=1e-6)


def test_the_layer_before_the_classes_is_a_tanh():
  clip, model = _clip(1, 2, 12, 12), _small("in21k")
  variables = _random(model, clip)
  _, aux = _apply(model)(variables, clip)
  dense = variables["params"]["representation"]
  tokens = np.asarray(aux["class_tokens"])
  want = np.tanh(tokens @ dense["kernel"] + dense["bias"])
  np.testing.assert_allclose(aux["frame_features"], want, rtol=1e-5, atol=1e-6)


def test_arithmetic_tells_time_and_differentiates():
  clip, model = _clip(1, 4, 12, 12), _small("eva", arithmetic(1))
  variables = _random(model, clip)
  slots = variables["params"]["block2"]
  assert set(slots["block_input"]) == {"part1", "part2"}
  assert set(variables["params"]["block1"]["block_input"]) == {"kernel"}

  def loss(params, clip):
    logits, _ = model.apply({**variables, "params": params}, clip)
    return jnp.sum(logits[..., 0]), logits

  run = jax.jit(jax.value_and_grad(loss, has_aux=True))
  (_, forth), gradient = run(variables["params"], clip)
  assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))
  for part in gradient["block2"]["block_input"].values():
    assert max(np.abs(leaf).max() for leaf in jax.tree.leaves(part)) > 0
  (_, back), _ = run(variables["params"], clip[:, ::-1])
  assert np.abs(forth - back).max() > 1e-3


@pytest.mark.parametrize("form", ["clip", "eva"])
def test_without_an_operator_the_order_of_frames_does_not_matter(form):
  clip, model = _clip(1, 4, 12, 12), _small(form)
  variables = _random(model, clip)
  forth, back = (_apply(model)(variables, c)[0] for c in (clip, clip[:, ::-1]))
  np.testing.assert_allclose(forth, back, rtol=1e-5, atol=1e-5)


def test_frames_and_sizes_are_free():
  plain, model = _small("eva"), _small("eva", arithmetic(1))
  variables = _random(model, _clip(1, 4, 12, 12))
  logits, _ = _apply(model)(variables, _clip(1, 1, 20, 20))
  assert np.isfinite(logits).all()
  with pytest.raises(ValueError, match="a square grid of patches"):
    _apply(model)(variables, _clip(1, 3, 12, 8))
  variables = _random(plain, _clip(1, 1, 12, 12))
  wide, _ = _apply(plain)(variables, _clip(1, 1, 12, 8))
  assert np.isfinite(wide).all()


def test_rotary_positions_tell_places_apart():
  """Without learned positions, a frame's patches are told apart by rotation."""
  clip, model = _clip(1, 1, 12, 12), _small("eva")
  variables = _random(model, clip)
  variables["params"]["position_embedding"] *= 0
  mirrored = clip.reshape(1, 1, 3, 4, 12, 3)[:, :, ::-1].reshape(clip.shape)
  first, second = (
    _apply(model)(variables, c)[1]["class_tokens"] for c in (clip, mirrored)
  )
  assert np.abs(first - second).max() > 1e-3


def test_starts_as_the_tower_of_images_but_for_the_relu():
  """Arithmetic alone; the class token's convolution starts as a shift."""
  clip = _clip(1, 2, 12, 12)
  model = _small("clip", arithmetic(1, class_token=False))
  variables = jax.jit(model.init)(jax.random.key(0), clip)
  plain = {**variables["params"]}
  plain["block2"] = {k: v for k, v in plain["block2"].items() if k != "block_input"}
  relu = models.Temporal(block_input=_PatchRelu, where=lambda stage, block: block == 1)
  want, _ = _apply(_small("clip", relu))({"params": plain}, clip)
  got, _ = _apply(model)(variables, clip)
  np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


class _PatchRelu(nn.Module):
  """An untrained `ArithmeticModeling`."""

  def __call__(self, x, train=False):
    return jnp.concatenate([x[:, :, :1], nn.relu(x[:, :, 1:])], axis=2), {}
