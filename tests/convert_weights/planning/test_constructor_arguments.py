"""Arguments of the authors' constructors that change names of tensors.

Each is accepted, or refused in one sentence that names it.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import convert_weights
import temporal_jax
from convert_weights.plan import plan_conversion
from temporal_jax import layers
from temporal_jax.models.blocks.temporal_attention import TemporalAttentionAggregation
from temporal_jax.models.operators import arithmetic
from temporal_jax.models.slots import Temporal
from tests.support import conversion_plans

_VIDEO_TEXT = {**conversion_plans.TINY, **conversion_plans.TINY_TEXT}
_ATM = {**conversion_plans.TINY, "projection": 64}
_STAGES = {"stage_sizes": (1, 1, 1, 1)}
_CONVNEXT = {**_STAGES, "widths": (64, 64, 64, 64)}
_BIG_LITTLE = {"stage_sizes": (2, 2, 2, 2), "width": 8}


def _tensors(row, source, num_classes=3, **arguments):
  """Random tensors of a network in a naming."""
  network = temporal_jax.create_model(row, num_classes=num_classes, **arguments)
  side = getattr(network, "patch_size", 8) * getattr(network, "grid", 4)
  clip = jax.ShapeDtypeStruct((1, 2, side, side, 3), jnp.float32)
  shapes = jax.eval_shape(network.init, jax.random.key(0), clip)
  rng = np.random.default_rng(0)
  variables = jax.tree.map(lambda x: rng.random(x.shape, np.float32), shapes)
  return convert_weights.to_torch(
    row, variables, source=source, num_classes=num_classes, **arguments
  )


def _renamed(tensors, changes):
  """Tensors with other names; those that become "" are left out."""
  renamed = {}
  for name, tensor in tensors.items():
    for old, new in changes.items():
      name = new and name.replace(old, new) if old in name else name
    if name:
      renamed[name] = tensor
  return renamed


def _refused(row, source, tensors, **arguments):
  """Returns the message of a refusal, which is one line."""
  with pytest.raises(ValueError, match=r".+") as caught:
    plan_conversion(row, tensors, source=source, **arguments)
  message = str(caught.value)
  assert "\n" not in message
  return message


# bLVNet-TAM


@pytest.mark.parametrize("dropout", [0.0, pytest.param(0.5, marks=pytest.mark.slow)])
def test_blvnet_names_its_head_by_dropout(dropout):
  tensors = _tensors("blvnet_tam_50", "blvnet", **_BIG_LITTLE)
  assert "new_fc.weight" in tensors
  if not dropout:
    tensors = _renamed(tensors, {"new_fc": "baseline_model.fc"})
  todo = plan_conversion("blvnet_tam_50", tensors, **_BIG_LITTLE)
  assert not todo.mapping.new


@pytest.mark.slow
def test_blvnet_with_other_blending_frames():
  branch = functools.partial(layers.TemporalAggregation, taps=5)
  five = {**_BIG_LITTLE, "temporal": Temporal(branch_input=branch)}
  tensors = _tensors("blvnet_tam_50", "blvnet", **five)
  assert "baseline_model.tam.blending_layers.4.weight" in tensors
  assert plan_conversion("blvnet_tam_50", tensors, **five).mapping.new == {}
  message = _refused("blvnet_tam_50", "blvnet", tensors, **_BIG_LITTLE)
  assert "blending_frames other than 3" in message


# X-ViT


@functools.cache
def _xvit(head="attention"):
  return _tensors("xvit_b16", "xvit", head=head, **conversion_plans.TINY)


def test_xvit_without_dropout_has_its_classifier_in_the_backbone():
  tensors = _renamed(_xvit("average"), {"new_fc": "base_model.head"})
  assert "base_model.head.weight" in tensors
  arguments = {**conversion_plans.TINY, "head": "average", "temporal": "mixing"}
  made = convert_weights.convert("xvit_b16", tensors, **arguments)
  want = convert_weights.convert("xvit_b16", _xvit("average"), **arguments)
  jax.tree.map(np.testing.assert_array_equal, made, want)
  more = _xvit() | {name: tensors[name] for name in tensors if "head" in name}
  message = _refused("xvit_b16", "xvit", more, **conversion_plans.TINY)
  assert "DROPOUT_RATE 0" in message


@pytest.mark.slow
def test_xvit_with_a_deeper_head():
  head = functools.partial(TemporalAttentionAggregation, num_blocks=2)
  arguments = {**conversion_plans.TINY, "head": head}
  tensors = _tensors("xvit_b16", "xvit", **arguments)
  assert "consensus.temporal_encoder.1.norm1.weight" in tensors
  assert not plan_conversion("xvit_b16", tensors, **arguments).mapping.new
  message = _refused("xvit_b16", "xvit", tensors, **conversion_plans.TINY)
  assert "NUM_HIDDEN_LAYERS" in message


_B = "base_model.blocks.0"
_HYBRID = "base_model.patch_embed.backbone.conv.weight"


@pytest.mark.parametrize(
  ("changes", "added", "message"),
  [
    ({"consensus.cls_token": ""}, {}, "--set head=average"),
    ({}, {f"{_B}.norm1.running_mean": (256,)}, "NORM_LAYER BN"),
    ({".norm1.": "", ".norm2.": ""}, {}, "NORM_LAYER IN"),
    ({}, {"base_model.dist_token": (1, 1, 256)}, "distilled DeiT"),
    ({}, {_HYBRID: (64, 3, 7, 7)}, "a hybrid, with a ResNet"),
    ({"qkv.bias": ""}, {}, "no biases of queries"),
  ],
)
def test_xvit_refuses_other_parts_by_name(changes, added, message):
  zeros = {name: np.zeros(shape, "f4") for name, shape in added.items()}
  tensors = _renamed(_xvit(), changes) | zeros
  assert message in _refused("xvit_b16", "xvit", tensors, **conversion_plans.TINY)


# ATM


@pytest.mark.slow
def test_atm_without_convolved_class_tokens():
  alone = {**_ATM, "temporal": "arithmetic_patch_tokens"}
  tensors = _tensors("atm_vit_b16", "atm", **alone)
  assert not [name for name in tensors if "control_point1" in name]
  assert not plan_conversion("atm_vit_b16", tensors, **alone).mapping.new
  message = _refused("atm_vit_b16", "atm", tensors, **_ATM)
  assert "--set temporal=arithmetic_patch_tokens" in message
  tensors = _renamed(tensors, {"control_point_c": ""})
  message = _refused("atm_vit_b16", "atm", tensors, **_ATM)
  assert "--set temporal=none" in message


@pytest.mark.slow
def test_atm_with_sums_and_ratios():
  operations = ("correlation", "difference", "sum", "log_ratio")
  modeling = functools.partial(layers.ArithmeticModeling, operations=operations)
  four = Temporal(block_input=modeling, where=lambda stage, block: block == 1)
  tensors = _tensors("atm_vit_b16", "atm", **{**_ATM, "temporal": four})
  assert any(".divlayer.div2vis." in name for name in tensors)
  arguments = {**_ATM, "temporal": four}
  assert not plan_conversion("atm_vit_b16", tensors, **arguments).mapping.new
  alone = {**_ATM, "temporal": arithmetic(1, class_token=False)}
  message = _refused("atm_vit_b16", "atm", tensors, **alone)
  assert "IntegrationBlock" in message


@pytest.mark.parametrize(
  ("changes", "added", "message"),
  [
    ({"resblocks.0.": "resblocks.0.net."}, {}, "tsm='tsm'"),
    ({}, {"visual.time_embedding": (8, 256)}, "joint=True"),
    ({}, {"visual.blocks.0.mlp.fc1.weight": (8, 8)}, "EVA02-CLIP-bigE-14"),
  ],
)
def test_atm_refuses_other_towers_by_name(changes, added, message):
  zeros = {name: np.zeros(shape, "f4") for name, shape in added.items()}
  tensors = _tensors("vit_b16", "atm", **_ATM)
  tensors = _renamed(tensors, changes) | zeros
  assert message in _refused("vit_b16", "atm", tensors, **_ATM)


# ILA and X-CLIP


@pytest.mark.parametrize(
  ("row", "source"),
  [
    pytest.param("ila_vit_b16", "ila", marks=pytest.mark.slow),
    ("xclip_b32", "xclip"),
  ],
)
def test_depths_of_the_integration_and_the_prompt_are_counted(row, source):
  sizes = {"integration_depth": 3, "prompt_depth": 1}
  tensors = _tensors(row, source, None, **_VIDEO_TEXT, **sizes)
  todo = plan_conversion(row, tensors, source=source, **_VIDEO_TEXT)
  assert not todo.mapping.new
  assert {name: todo.overrides[name] for name in sizes} == sizes
  note = "integration_depth is 3, as the names show (1 in the row)."
  assert note in todo.notes
  asked = {**_VIDEO_TEXT, "integration_depth": 1}
  with pytest.raises(ValueError, match=r"mit\.resblocks\.1"):
    plan_conversion(row, tensors, source=source, **asked)


@pytest.mark.parametrize(
  ("arguments", "message"),
  [
    pytest.param(
      {"temporal": "alignment_dense"},
      "--set temporal=alignment_dense",
      marks=pytest.mark.slow,
    ),
    ({"head": "linear"}, "--set head=linear"),
  ],
)
def test_ilas_form_for_something_something_is_named(arguments, message):
  sizes = {**_VIDEO_TEXT, **arguments}
  classes = 3 if "head" in arguments else None
  tensors = _tensors("ila_vit_b16", "ila", classes, **sizes)
  assert not plan_conversion("ila_vit_b16", tensors, **sizes).mapping.new
  refused = _refused("ila_vit_b16", "ila", tensors, **_VIDEO_TEXT)
  assert message in refused


# TAda2D, TAdaConvNeXtV2, TAdaFormer, SlowFast


@pytest.mark.parametrize(
  ("row", "arguments", "head"),
  [
    ("tada2d_resnet50", {**_STAGES, "width": 16}, "linear"),
    pytest.param("tadaconvnextv2_tiny", _CONVNEXT, "linear", marks=pytest.mark.slow),
    pytest.param("slowfast_50_4x16", _STAGES, "out", marks=pytest.mark.slow),
  ],
)
def test_two_heads_for_epic_kitchens(row, arguments, head):
  tensors = _tensors(row, "tada", {"verb": 4, "noun": 5}, **arguments)
  names = {"head.linear1": f"head.{head}1", "head.linear2": f"head.{head}2"}
  tensors = _renamed(tensors, names)
  todo = plan_conversion(row, tensors, **arguments)
  assert todo.num_classes == {"verb": 4, "noun": 5}
  assert not todo.mapping.new
  other = plan_conversion(row, tensors, num_classes=7, **arguments)
  assert {leaf.split("/")[1] for leaf in other.mapping.new} == {"head"}


def test_mosis_head_is_left_out_when_another_is_asked_for():
  tensors = _tensors("r2d3d_18", "tada", **_STAGES)
  tensors = _renamed(tensors, {"head.out.": "head.out_joint."})
  message = _refused("r2d3d_18", "tada", tensors, **_STAGES)
  assert "--allow-missing 'head/*'" in message
  todo = plan_conversion(
    "r2d3d_18", tensors, num_classes=5, allow_missing=["head/*"], **_STAGES
  )
  assert todo.mapping.new.keys() == {"params/head/kernel", "params/head/bias"}


def test_the_codes_r2plus1d_of_50_layers_is_named():
  code = {
    "taps": (3,) * 5,
    "strides": (2, 1, 2, 2, 2),
    "time_strides": (1, 1, 2, 2, 2),
  }
  stages = {"stage_sizes": (1, 1)}
  tensors = _tensors("r2plus1d_50", "tada", **stages, **code)
  message = _refused("r2plus1d_50", "tada", tensors, **stages)
  for name, numbers in code.items():
    assert f"--set {name}={list(numbers)}".replace(", ", ",") in message
  todo = plan_conversion("r2plus1d_50", tensors, **stages, **code)
  assert not todo.mapping.new


_FUSION = "backbone.slowfast_fusion1"


@pytest.mark.parametrize(
  ("row", "changes", "added", "message"),
  [
    pytest.param(
      "slowfast_50_4x16",
      {f"{_FUSION}.bn": ""},
      "",
      "FUSION_BN false",
      marks=pytest.mark.slow,
    ),
    pytest.param(
      "slowfast_50_4x16",
      {},
      f"{_FUSION}.conv_fast_to_slow.bias",
      "FUSION_CONV_BIAS",
      marks=pytest.mark.slow,
    ),
    ("r2d3d_18", {}, "backbone.conv3.nonlocal.theta.weight", "NONLOCAL.ENABLE"),
    ("r2d3d_18", {}, "backbone.pos_embd", "a ViViT or a TimeSformer"),
    ("r2d3d_18", {}, "backbone.Conv_1a.conv1.weight", "S3DG"),
    pytest.param(
      "tadaconvnextv2_tiny",
      {"gamma": ""},
      "",
      "LARGE_SCALE_INIT_VALUE 0",
      marks=pytest.mark.slow,
    ),
  ],
)
def test_tada_refuses_other_parts_by_name(row, changes, added, message):
  arguments = _CONVNEXT if "convnext" in row else _STAGES
  tensors = _renamed(_tensors(row, "tada", **arguments), changes)
  if added:
    tensors[added] = np.zeros(8, "f4")
  assert message in _refused(row, "tada", tensors, **arguments)


@pytest.mark.parametrize(
  ("other", "message"),
  [
    ({"temporal": "adaptive_branches"}, "--set temporal=adaptive_branches"),
    pytest.param(
      {"projection": 64},
      "--set projection=OUTPUT_DIM",
      marks=pytest.mark.slow,
    ),
  ],
)
def test_tadaformers_other_forms_are_named(other, message):
  sizes = {**conversion_plans.TINY, **other}
  tensors = _tensors("tadaformer_b16", "tada", **sizes)
  assert not plan_conversion("tadaformer_b16", tensors, **sizes).mapping.new
  refused = _refused("tadaformer_b16", "tada", tensors, **conversion_plans.TINY)
  assert message in refused
