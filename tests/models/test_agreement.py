"""Operators agree with reduced backbones in heads, biases, norms and dtype."""

import functools

import flax.traverse_util as trees
import jax
import jax.numpy as jnp
import pytest

import temporal_jax
from temporal_jax import layers, models
from temporal_jax.models.slots import adapt
from tests.models.test_grid import SUPPORTED
from tests.support import tiny_networks

_HEADS, _WIDTH = 4, 64  # Heads of 16 channels, where most papers have 64.
_TOKENS = [name for name, on in SUPPORTED.items() if "transformer" in on]
_MAPS = ["resnet_basic", "resnet_bottleneck", "convnext", "resnet3d"]
# Narrow, but wide enough to shift an eighth of the channels.
_NARROW = {
  "convnext": {"widths": (16,)},
  "resnet3d": {"widths": (16,), "stem_width": 16},
  "resnet_basic": {"width": 16},
  "resnet_bottleneck": {"width": 16},
}


def _transformer(operator, **kwargs):
  sizes = {"width": _WIDTH, "num_heads": _HEADS, "depth": 2}
  model = tiny_networks.build("transformer", **{**sizes, **kwargs})
  temporal = models.operators.resolve(operator, model)
  if operator == "arithmetic":
    temporal = models.operators.arithmetic(0)
  return model.clone(temporal=temporal)


def _leaves(model):
  return {
    "/".join(path): leaf
    for path, leaf in trees.flatten_dict(
      tiny_networks.shapes(model, tiny_networks.clip())
    ).items()
  }


def _heads(leaves):
  """Returns (heads, channels of a head) of every attention but routes'."""
  return {
    name: leaf.shape[-2:]
    for name, leaf in leaves.items()
    if name.endswith("qkv/kernel") and "/route/" not in name
  }


@pytest.mark.parametrize("operator", _TOKENS)
def test_every_attention_has_the_heads_of_the_backbone(operator):
  leaves = _leaves(_transformer(operator))
  heads = _heads(leaves)
  assert heads
  assert set(heads.values()) == {(_HEADS, _WIDTH // _HEADS)}
  routes = {
    name: leaf.shape
    for name, leaf in leaves.items()
    if name.endswith("qkv/kernel") and "/route/" in name
  }
  # A quarter of the channels, so a quarter of the heads.
  assert set(routes.values()) <= {(16, 3, 1, 16)}
  assert bool(routes) == operator.startswith("adaptive_branch")


def test_the_example_of_a_user():
  model = temporal_jax.create_model(
    "vit_b32_joint", num_classes=3, width=64, num_heads=4, depth=1
  )
  clip = jnp.zeros((1, 2, 32, 32, 3))
  attention = jax.eval_shape(model.init, jax.random.key(0), clip)["params"]["block1"][
    "attention"
  ]
  assert attention["qkv"]["kernel"].shape == (64, 3, 4, 16)


@pytest.mark.parametrize("operator", ["joint", "divided", "aligned"])
def test_biases_and_norms_of_attention_are_the_backbones(operator):
  block = functools.partial(models.TransformerBlock, qkv_bias=False, inner_norm=True)
  leaves = _leaves(_transformer(operator, block=block))
  plain = _leaves(_transformer("none", block=block))
  assert not any("qkv/bias" in name for name in leaves)
  assert plain.keys() <= leaves.keys()  # The inner norm among them.
  if operator == "joint":
    assert plain.keys() == leaves.keys()


def test_a_head_of_attention_has_heads_as_wide():
  for width, heads in ((64, 4), (96, 3)):
    model = _transformer("none", width=width, num_heads=heads, head="attention")
    shape = _leaves(model)["params/head/block1/attention/qkv/kernel"].shape
    assert shape == (width, 3, heads, width // heads)


@pytest.mark.parametrize("operator", ["adaptive", "adaptive_convolution"])
def test_a_convolution_keeps_the_bias_of_the_one_it_replaces(operator):
  for name, has_bias in (("convnext", True), ("resnet_basic", False)):
    plain = _leaves(tiny_networks.build(name))
    leaves = _leaves(tiny_networks.build(name, temporal=operator))
    assert plain.keys() <= leaves.keys()
    assert any(k.endswith("conv/bias") for k in leaves) == has_bias


@pytest.mark.parametrize("operator", ["adaptive", "adaptive_attention"])
def test_pooling_along_time_has_the_norm_of_the_backbone(operator):
  for name in ("convnext", "resnet_basic"):
    leaves = _leaves(tiny_networks.build(name, temporal=operator, **_NARROW[name]))
    pooled = [k for k in leaves if "after_convolution" in k]
    assert pooled
    batch = any(k.startswith("batch_stats/") for k in pooled)
    assert batch == (name == "resnet_basic")


@pytest.mark.parametrize(
  ("operator", "name"),
  [
    *((operator, "transformer") for operator in _TOKENS),
    *(
      (operator, name)
      for name in _MAPS
      for operator, on in SUPPORTED.items()
      if name in on
    ),
  ],
)
def test_all_compute_in_the_dtype_of_the_backbone(operator, name):
  build = _transformer
  if name != "transformer":

    def build(operator, dtype):
      sizes = {**_NARROW[name], "dtype": dtype}
      return tiny_networks.build(name, temporal=operator, **sizes)

  model = build(operator, dtype=jnp.bfloat16)
  clip = tiny_networks.clip(rows=8, columns=8)
  variables = tiny_networks.shapes(model, clip)
  assert {x.dtype for x in jax.tree.leaves(variables)} == {jnp.dtype("float32")}
  _, seen = jax.eval_shape(
    lambda v: model.apply(
      v, clip, capture_intermediates=True, mutable=["intermediates"]
    ),
    variables,
  )
  seen = trees.flatten_dict(seen["intermediates"], sep="/")
  for path, out in seen.items():
    slots = ("branch", "conv", "block_input", "mlp_input", "attention")
    if not any(part.startswith(slots) for part in path.split("/")):
      continue
    values = out[0][0] if isinstance(out[0], tuple) else out[0]
    if "points" in path or "prediction" in path:  # Coordinates are float32.
      continue
    for leaf in jax.tree.leaves(values):
      assert leaf.dtype == jnp.bfloat16, path


def test_what_is_set_stays_and_what_is_open_is_taken():
  joint = adapt(layers.JointAttention, num_heads=4, qkv_bias=None)
  assert joint().num_heads == 4
  assert joint().qkv_bias is None
  for mine in (
    functools.partial(layers.JointAttention, 2),
    functools.partial(layers.JointAttention, num_heads=2),
  ):
    assert adapt(mine, num_heads=4)().num_heads == 2
  chain = functools.partial(
    layers.Chain, (layers.CrossFrameMessage, layers.TemporalShift)
  )
  message, shift = adapt(chain, num_heads=4)().parts
  assert message().num_heads == 4
  assert shift is layers.TemporalShift

  def factory(name):
    return layers.JointAttention(name=name)

  assert adapt(factory, num_heads=4) is factory


@pytest.mark.parametrize(
  ("operator", "name", "kwargs", "message"),
  [
    ("shift", "resnet_basic", {"width": 4}, "fold_div 8 shifts none of the"),
    (
      "adaptive_attention",
      "resnet_basic",
      {"width": 1},
      "ratio must be at most the 1 ch",
    ),
    (
      "adaptive_branch",
      "transformer",
      {"width": 144, "num_heads": 6},
      "heads of 24 do not divide the hidden width 36",
    ),
  ],
)
def test_a_backbone_too_narrow_is_refused(operator, name, kwargs, message):
  model = tiny_networks.build(name, temporal=operator, **kwargs)
  with pytest.raises(ValueError, match=message):
    tiny_networks.shapes(model, tiny_networks.clip())
