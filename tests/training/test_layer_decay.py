import functools

import jax
import jax.numpy as jnp
import pytest

import temporal_jax
from temporal_jax.training import layer_decay

VIT = {
  "blocks": r"(visual/)?block(?P<number>\d+)/.*",
  "before": r"(visual/)?(patch_embedding|pre_norm)/.*",
}


def layer_factors(params, decay, **kwargs):
  return layer_decay.layer_factors(params, decay, **VIT | kwargs)


@functools.cache
def _params():
  model = temporal_jax.create_model(
    "atm_vit_b16", num_classes=5, num_frames=2, image_size=32, depth=2
  )
  clip = jnp.zeros((1, 2, 32, 32, 3))
  return jax.eval_shape(model.init, jax.random.key(0), clip)["params"]


def test_atm():
  """d ** (N + 1 - id) with N = 2, weights of the new modules at 1."""
  factors = layer_factors(
    _params(), 0.5, kept=(r"block\d+/(block|mlp)_input/.*kernel",)
  )
  want = {
    "patch_embedding/kernel": 0.125,
    "pre_norm/scale": 0.125,
    "block1/mlp/expand/kernel": 0.25,
    "block1/attention/qkv/bias": 0.25,
    "block1/mlp_input/kernel": 1,
    "block2/norm1/scale": 0.5,
    "block2/mlp_input/kernel": 1,
    "class_token": 1,
    "position_embedding": 1,
    "norm/scale": 1,
    "projection/kernel": 1,
    "head/kernel": 1,
  }
  assert {name: factors[name] for name in want} == want


def test_tadaformer():
  """Learned positions and class token come before the blocks."""
  before = r"(patch_embedding|pre_norm|class_token|position_embedding)(/.*)?"
  factors = layer_factors(_params(), 0.7, before=before)
  for name in ("patch_embedding/kernel", "class_token", "position_embedding"):
    assert factors[name] == pytest.approx(0.7**3)
  assert factors["block1/norm1/bias"] == pytest.approx(0.7**2)
  assert factors["block2/mlp_input/kernel"] == pytest.approx(0.7)
  assert factors["norm/scale"] == factors["head/bias"] == 1


@pytest.mark.parametrize("name", ["atm_vit_b16", "xclip_b32"])
def test_networks_name_their_blocks(name):
  network = temporal_jax.create_model(name, num_classes=2, image_size=32, depth=2)
  clip = jnp.zeros((1, network.num_frames if "xclip" in name else 2, 32, 32, 3))
  params = jax.eval_shape(network.init, jax.random.key(0), clip)["params"]
  groups = network.parameter_groups()
  factors = layer_decay.layer_factors(
    params, 0.5, blocks=groups.blocks, before=groups.before_blocks
  )
  assert factors == layer_factors(params, 0.5)
  assert set(factors.values()) == {0.125, 0.25, 0.5, 1}


def test_blocks_of_a_part():
  leaf = jax.ShapeDtypeStruct((1,), jnp.float32)
  params = {
    "visual": {"patch_embedding": {"kernel": leaf}, "block1": {"scale": leaf}},
    "text": {"block1": {"scale": leaf}},
    "head": {"block1": {"scale": leaf}},
  }
  assert layer_factors(params, 0.5) == {
    "visual/patch_embedding/kernel": 0.25,
    "visual/block1/scale": 0.5,
    "text/block1/scale": 1,
    "head/block1/scale": 1,
  }


RESNET = {"stem_conv": {"kernel": jnp.ones((3, 3))}}


def test_a_decay_of_one_is_for_all_networks():
  assert layer_factors(RESNET, 1.0) == {"stem_conv/kernel": 1}


@pytest.mark.parametrize(
  ("decay", "kwargs", "message"),
  [
    (0.0, {}, r"layer_decay must be in \(0, 1\], got 0.0"),
    (1.5, {}, r"layer_decay must be in \(0, 1\], got 1.5"),
    (0.7, {}, "no parameter is in a block1, but stem_conv"),
    (0.7, {"blocks": "", "before": ""}, "no parameter is in a block1"),
    (1.0, {"kept": ("head/.*",)}, r"layer_decay is 1.*except \('head/"),
  ],
)
def test_what_makes_no_sense_is_refused(decay, kwargs, message):
  with pytest.raises(ValueError, match=message):
    layer_factors(RESNET, decay, **kwargs)


@pytest.mark.parametrize(
  ("field", "kwargs"),
  [
    ("layer_decay_except", {"kept": ("head",)}),
    ("layer_decay_first", {"before": "stem/.*"}),
  ],
)
def test_regexes_must_fit(field, kwargs):
  with pytest.raises(ValueError, match=f"{field}: .* fits none; did you mean"):
    layer_factors(_params(), 0.7, **kwargs)
