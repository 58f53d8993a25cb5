"""Towers of DINOv2, DINOv3 and SigLIP 2: registers, and operators on them."""

import dataclasses

import flax.linen as nn
import flax.traverse_util as trees
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax import layers, models
from tests.support import tiny_networks

SMALL = {"patch_size": 2, "width": 64, "depth": 2, "num_heads": 1, "grid": 4}
CLIPS = np.concatenate([tiny_networks.clip(), tiny_networks.clip()[:, ::-1]])
ROWS = ("dinov2_b14", "dinov2_b14_registers", "dinov3_b16", "siglip2_b16")
# Every operator of a ViT in its catalog's form; the route function needs width.
OPERATORS = (
  "adapter",
  "adapters",
  "adaptive_branch",
  "adaptive_branches",
  "alignment",
  "arithmetic",
  "arithmetic_patch_tokens",
  "aligned",
  "divided",
  "joint",
  "messages",
  "mixing",
  "mixing_summary",
  "residual_shift",
)
# They see frames as a set.
UNORDERED = ("joint", "divided", "aligned", "messages")
# Others take seconds each.
FAST = {
  ("dinov2_b14_registers", "divided"),
  ("dinov2_b14_registers", "mixing_summary"),
  ("dinov3_b16", "joint"),
  ("siglip2_b16", "messages"),
}
STARTS_PLAIN = ("adapter", "adaptive_branch", "alignment", "divided", "aligned")


def _pairs(operators):
  """All pairs, of which some run in every test."""
  return [
    pytest.param(
      row, operator, marks=[] if (row, operator) in FAST else [pytest.mark.slow]
    )
    for row in ROWS
    for operator in operators
  ]


def _is_first(stage, block):
  return block == 0


def _build(row, temporal=None, num_classes=3):
  small = dict(SMALL)
  if temporal and temporal.startswith("adaptive"):
    small["width"] = 256
  plain = models.create_model(row, num_classes=num_classes, temporal=None, **small)
  if temporal is None:
    return plain
  slots = models.operators.resolve(temporal, plain)
  # After the last attention nothing reads the patches.
  return plain.clone(temporal=dataclasses.replace(slots, where=_is_first))


def _drawn(model):
  leaves = trees.flatten_dict(tiny_networks.shapes(model, CLIPS))
  return trees.unflatten_dict(tiny_networks.draw(leaves))


def _fits(row, operator):
  return not (row.startswith("dinov3") and operator == "joint")


@pytest.mark.parametrize(("row", "operator"), _pairs(OPERATORS))
def test_operators_learn_on_them(row, operator):
  model = _build(row, operator)
  if not _fits(row, operator):
    with pytest.raises(ValueError, match="`attention` has no rotary positions"):
      jax.eval_shape(model.init, jax.random.key(0), CLIPS)
    return
  variables = _drawn(model)
  plain = {"/".join(p) for p in trees.flatten_dict(_drawn(_build(row))["params"])}

  def loss(params, clips):
    logits, aux = model.apply({**variables, "params": params}, clips)
    return jnp.sum(jnp.sin(logits)), aux["features"]

  gradients, features = jax.jit(jax.grad(loss, has_aux=True))(
    variables["params"], CLIPS
  )
  for path, gradient in trees.flatten_dict(gradients, sep="/").items():
    assert np.isfinite(gradient).all(), path
    if path not in plain:
      assert np.abs(gradient).max() > 0, path
  difference = np.abs(features[0] - features[1]).max()
  ordered = difference > 2e-5 * np.abs(features).max()
  assert ordered == (operator not in UNORDERED)


@pytest.mark.parametrize(("row", "operator"), _pairs(STARTS_PLAIN))
def test_start_as_the_tower_of_images(row, operator):
  model = _build(row, operator)
  plain = model.clone(temporal=models.Temporal())
  variables = jax.jit(model.init)(jax.random.key(0, impl="rbg"), CLIPS)
  params = trees.flatten_dict(variables["params"])
  own = trees.flatten_dict(tiny_networks.shapes(plain, CLIPS)["params"])
  want, _ = plain.apply(
    {"params": trees.unflatten_dict({path: params[path] for path in own})}, CLIPS
  )
  got, _ = model.apply(variables, CLIPS)
  np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)


class _Seen(nn.Module):
  """Notes the shape and the first token of what a slot sees."""

  def __call__(self, x, train=False):
    return x, {"shape": x.shape[2], "first": x[:, :, 0]}


@pytest.mark.parametrize("row", ROWS)
def test_slots_see_a_class_token_and_the_patches(row):
  temporal = models.Temporal(block_input=_Seen, where=_is_first)
  model = _build(row).clone(temporal=temporal)
  _, aux = model.apply(_drawn(model), CLIPS)
  assert aux["block1"]["shape"] == 1 + 16
  assert aux["tokens"].shape[2] == 16 + model.has_class_token
  assert ("class_tokens" in aux) == model.has_class_token


@pytest.mark.parametrize("row", ["dinov2_b14_registers", "dinov3_b16"])
def test_registers_are_read_and_have_no_place(row):
  model = _build(row)
  variables = _drawn(model)
  assert variables["params"]["registers"].shape == (4, 64)
  first, _ = model.apply(variables, CLIPS)
  changed = jax.tree.map(np.copy, variables)
  changed["params"]["registers"] = changed["params"]["registers"][::-1]
  turned, _ = model.apply(changed, CLIPS)
  np.testing.assert_allclose(turned, first, rtol=1e-5, atol=1e-5)
  changed["params"]["registers"] = 2 * changed["params"]["registers"]
  other, _ = model.apply(changed, CLIPS)
  assert np.abs(other - first).max() > 1e-3


def test_summaries_leave_registers_out():
  """Their mean is of the patches, whatever the registers hold."""
  attend = layers.SelfAttention(
    1, keys_values=layers.SummaryTokens, num_registers=2, has_class_token=True
  )
  x = np.random.default_rng(0).standard_normal((1, 3, 7, 8), np.float32)
  variables = attend.init(jax.random.key(0), x)
  _, kept = attend.apply(variables, x, capture_intermediates=True)
  (mixed, _), _ = kept["intermediates"]["keys_values"]["__call__"]
  keys = x @ np.asarray(variables["params"]["qkv"]["kernel"])[:, 1, 0]
  want = keys[:, :, 1:5].mean(axis=2)  # (B, T, D)
  np.testing.assert_allclose(mixed[0, 0, 5:], want[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
  ("kwargs", "message"),
  [
    ({"pooling": "mode"}, "pooling must be one of .*, got 'mode'"),
    ({"positions": "wave"}, "positions must be one of .*, got 'wave'"),
    ({"has_class_token": False}, "has_class_token is False: pooling must be one of"),
    (
      {"pooling": "class_and_mean", "average_first": True},
      "average_first needs pooling to be .* got 'class_and_mean'",
    ),
  ],
)
def test_refuses_what_does_not_fit(kwargs, message):
  with pytest.raises(ValueError, match=message):
    models.create_model("dinov2_b14", num_classes=3, **kwargs)


def test_arithmetic_has_no_class_token_to_convolve():
  model = _build("siglip2_b16", "arithmetic")
  assert "block_input" not in _drawn(model)["params"]["block2"]
  model = _build("dinov2_b14", "arithmetic")
  assert set(_drawn(model)["params"]["block2"]["block_input"]) == {"kernel"}


@pytest.mark.parametrize(
  ("row", "count"),
  [
    # Published: 22,056,576 with 37 x 37 positions and a token of the masked.
    ("dinov2_s14", 22_056_576 - (37**2 - 16**2 + 1) * 384),
    ("dinov3_s16", 21_596_160),
    ("siglip2_b16", 92_884_224),
  ],
)
def test_parameters_at_real_size(row, count):
  model = models.create_model(row, num_classes=None)
  _, side, _ = models.MODELS[row].clip_shape
  clip = jax.ShapeDtypeStruct((1, 1, side, side, 3), jnp.float32)
  shapes = jax.eval_shape(model.init, jax.random.key(0), clip)
  assert sum(leaf.size for leaf in jax.tree.leaves(shapes)) == count


def test_hidden_widths_are_the_published():
  def hidden(row):
    kwargs = models.MODELS[row].kwargs
    return int(kwargs.get("mlp_ratio", 4.0) * kwargs["width"])

  assert hidden("dinov2_g14") == 4096
  assert hidden("dinov3_s16plus") == 1536
  assert hidden("dinov3_h16plus") == 5120
  assert hidden("dinov3_7b16") == 8192
  assert hidden("siglip2_so400m14") == 4304
