"""Image towers of CLIP and EVA-02-CLIP, and ATM on them."""

import functools
import hashlib

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import temporal_jax
from convert_weights import atm, clip, eva, revert, timm
from temporal_jax import models
from temporal_jax.models.operators import arithmetic
from temporal_jax.models.rows.clip_form import CLIP_FORM
from temporal_jax.models.rows.image_towers import EVA_BLOCK

_EVA_ATM = eva.vision_transformer([*eva.transformer_block(), *atm.slots()])

# Published file, row, arguments, rules; parameters, and a digest of the names
# and shapes of the file's tensors.
PUBLISHED = [
  ("image_clip_vit_b32", "vit_b32", {}, "clip", 87849216, "080479b06d08eabd"),
  ("image_clip_vit_b16", "vit_b16", {}, "clip", 86192640, "1a9dea715e298cbb"),
  ("image_clip_vit_l14", "vit_l14", {}, "clip", 303966208, "6cde3069810d8ac2"),
  (
    "image_clip_vit_l14_336",
    "vit_l14_336",
    {},
    "clip",
    304293888,
    "2393168a712ae63b",
  ),
  (
    "image_timm_vit_b16_in21k",
    "vit_b16_in21k",
    {},
    "timm",
    103186515,
    "4201b0dec08ed347",
  ),
  (
    "clip_vit_b16_8f_baseline",
    "vit_b16",
    {},
    "atm",
    86397840,
    "1657de708ca20a48",
  ),
  ("atm_vit_b16_8f", "atm_vit_b16", {}, "atm", 88000284, "5252084dc5ce26ac"),
  ("atm_vit_b16_16f", "atm_vit_b16", {}, "atm", 88000284, "5252084dc5ce26ac"),
  ("atm_vit_b16_32f", "atm_vit_b16", {}, "atm", 88000284, "5252084dc5ce26ac"),
  (
    "atm_vit_b16_8f_not1d",
    "atm_vit_b16",
    {"temporal": arithmetic([7], class_token=False)},
    "atm",
    87944988,
    "9fb8354e1c5d0fb8",
  ),
  ("atm_vit_l14_8f", "atm_vit_l14", {}, "atm", 306296092, "2ac704703af87d65"),
  (
    "atm_vit_l14_336_16f",
    "atm_vit_l14_336",
    {},
    "atm",
    306623772,
    "31579aaa37bfbe02",
  ),
  ("image_eva02_clip_l14", "eva_l14", {}, "eva", 304105152, "0bbae50327a60633"),
  (
    "image_eva02_clip_l14_336",
    "eva_l14_336",
    {},
    "eva",
    304432832,
    "0cb94be1781badcb",
  ),
  (
    "image_eva02_clip_b16",
    "eva_l14",
    {"width": 768, "depth": 12, "num_heads": 12, "projection": 512}
    | {"patch_size": 16, "grid": 14},
    "eva",
    86263040,
    "815be055d7a286ae",
  ),
  ("atm_eva_l14_8f", "atm_eva_l14", {}, "eva", 306127436, "4735ac3ea67a1f97"),
]
RULES = {
  "clip": clip.vision_transformer(),
  "timm": timm.vision_transformer(),
  "atm": atm.classifier(),
  "eva": _EVA_ATM,
}
CLASSES = {"clip": None, "timm": 21843, "atm": 400, "eva": None}


@functools.cache
def _shapes(row, num_classes, temporal, arguments):
  """The row's variables, as shapes, for a clip of a single frame."""
  model = temporal_jax.create_model(
    row, num_classes=num_classes, temporal=temporal, **dict(arguments)
  )
  side = model.patch_size * model.grid
  clip = jax.ShapeDtypeStruct((1, 1, side, side, 3), jnp.float32)
  return jax.eval_shape(model.init, jax.random.key(0), clip)


@pytest.mark.parametrize(
  ("published", "row", "arguments", "family", "count", "digest"),
  [
    # The larger ones take many seconds to trace.
    pytest.param(
      *row, id=row[0], marks=[pytest.mark.slow] if "l14" in row[0] else []
    )
    for row in PUBLISHED
  ],
)
def test_is_what_was_published(
  published, row, arguments, family, count, digest
):
  del published
  arguments = dict(arguments)
  temporal = arguments.pop("temporal", "default")
  target = _shapes(row, CLASSES[family], temporal, tuple(arguments.items()))
  leaves = jax.tree.leaves(target["params"])
  assert sum(leaf.size for leaf in leaves) == count
  tensors = jax.eval_shape(functools.partial(revert, RULES[family]), target)
  assert _digest(tensors) == digest


def _digest(tensors):
  """Returns what changes with any tensor's name or shape."""
  lines = sorted(f"{name} {value.shape}" for name, value in tensors.items())
  return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


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
  logits, aux = model.apply(variables, clip)
  assert aux["frame_features"].shape == (2, 3, 5)
  assert aux["class_tokens"].shape == (2, 3, 16)
  head = variables["params"]["head"]
  want = np.asarray(aux["features"]) @ head["kernel"] + head["bias"]
  np.testing.assert_allclose(logits, want, rtol=1e-4, atol=1e-5)
  features, _ = model.clone(num_classes=None).apply(
    {"params": {k: v for k, v in variables["params"].items() if k != "head"}},
    clip,
  )
  np.testing.assert_allclose(features, aux["features"], rtol=1e-5, atol=1e-6)


def test_the_layer_before_the_classes_is_a_tanh():
  clip, model = _clip(1, 2, 12, 12), _small("in21k")
  variables = _random(model, clip)
  _, aux = model.apply(variables, clip)
  dense = variables["params"]["representation"]
  tokens = np.asarray(aux["class_tokens"])
  want = np.tanh(tokens @ dense["kernel"] + dense["bias"])
  np.testing.assert_allclose(aux["frame_features"], want, rtol=1e-5, atol=1e-6)


def test_arithmetic_tells_time_and_differentiates():
  clip, model = _clip(1, 4, 12, 12), _small("eva", arithmetic([1]))
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
  forth, back = (model.apply(variables, c)[0] for c in (clip, clip[:, ::-1]))
  np.testing.assert_allclose(forth, back, rtol=1e-5, atol=1e-5)


def test_frames_and_sizes_are_free():
  plain, model = _small("eva"), _small("eva", arithmetic([1]))
  variables = _random(model, _clip(1, 4, 12, 12))
  logits, _ = jax.jit(model.apply)(variables, _clip(1, 1, 20, 20))
  assert np.isfinite(logits).all()
  with pytest.raises(ValueError, match="a square grid of patches"):
    model.apply(variables, _clip(1, 3, 12, 8))
  variables = _random(plain, _clip(1, 1, 12, 12))
  wide, _ = plain.apply(variables, _clip(1, 1, 12, 8))
  assert np.isfinite(wide).all()


def test_rotary_positions_tell_places_apart():
  """Without learned positions, a frame's patches are told apart by rotation."""
  clip, model = _clip(1, 1, 12, 12), _small("eva")
  variables = _random(model, clip)
  variables["params"]["position_embedding"] *= 0
  mirrored = clip.reshape(1, 1, 3, 4, 12, 3)[:, :, ::-1].reshape(clip.shape)
  first, second = (
    model.apply(variables, c)[1]["class_tokens"] for c in (clip, mirrored)
  )
  assert np.abs(first - second).max() > 1e-3


def test_starts_as_the_tower_of_images_but_for_the_relu():
  """Arithmetic alone; the class token's convolution starts as a shift."""
  clip = _clip(1, 2, 12, 12)
  model = _small("clip", arithmetic([1], class_token=False))
  variables = jax.jit(model.init)(jax.random.key(0), clip)
  plain = {**variables["params"]}
  plain["block2"] = {
    k: v for k, v in plain["block2"].items() if k != "block_input"
  }
  relu = models.Temporal(
    block_input=_PatchRelu, where=lambda stage, block: block == 1
  )
  want, _ = _small("clip", relu).apply({"params": plain}, clip)
  got, _ = jax.jit(model.apply)(variables, clip)
  np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


class _PatchRelu(nn.Module):
  """What an untrained `ArithmeticModeling` does."""

  def __call__(self, x, train=False):
    return jnp.concatenate([x[:, :, :1], nn.relu(x[:, :, 1:])], axis=2), {}
