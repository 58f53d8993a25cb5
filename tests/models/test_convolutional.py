"""The published networks of 2-D convolutions, by their shapes alone."""

import jax
import jax.numpy as jnp
import pytest

import temporal_jax
from convert_weights.conversion import revert
from convert_weights.sources import blvnet, convnext, resnet, tada

_BLVNET = blvnet.big_little_net(tensor="baseline_model", head="new_fc")
_BLRESNET = blvnet.big_little_net(tensor="", head="fc")
# Row: classes, parameters and tensors of the published file (counters of
# batches left out), its rules, and the name of one tensor in it.
PUBLISHED = {
  "tada2d_resnet50": (
    (400, 27_485_472, 475),
    tada.resnet(),
    "backbone.conv5.res_3.conv_branch.b_rf.bn.running_var",
  ),
  "blvnet_tam_50": (
    (174, 25_020_142, 378),
    _BLVNET,
    "baseline_model.layer3.big.4.bn3.weight",
  ),
  "blvnet_tam_101": (
    (174, 40_177_134, 663),
    _BLVNET,
    "baseline_model.layer4.2.tam.next.weight",
  ),
  "blresnet50": (
    (1000, 26_694_568, 357),
    _BLRESNET,
    "layer4.0.downsample.1.weight",
  ),
  "blresnet101": (
    (1000, 41_851_560, 642),
    _BLRESNET,
    "layer3.little.2.conv1.weight",
  ),
  "convnext_tiny": (
    (1000, 28_589_128, 182),
    convnext.network(),
    "stages.2.8.gamma",
  ),
  "convnext_small": (
    (1000, 50_223_688, 344),
    convnext.network(),
    "downsample_layers.3.1.weight",
  ),
  "convnext_base": (
    (1000, 88_591_464, 344),
    convnext.network(),
    "downsample_layers.0.0.bias",
  ),
  "tadaconvnext_tiny": (
    (400, 38_661_688, 326),
    tada.convnext_net(tada.route_mlp("layer")),
    "backbone.stages.2.8.dwconv_rf.ln.weight",
  ),
  "tadaconvnextv2_tiny": (
    (400, 45_971_488, 434),
    tada.convnext_net(),
    "backbone.stages.3.2.norm_avgpool.weight",
  ),
  "tadaconvnextv2_small": (
    (400, 82_249_120, 848),
    tada.convnext_net(),
    "backbone.stages.2.26.dwconv_rf.b_bias.weight",
  ),
  "tadaconvnextv2_base": (
    (400, 145_687_632, 848),
    tada.convnext_net(),
    "backbone.stages.0.0.dwconv.bias",
  ),
  "resnet18": (
    (1000, 11_689_512, 102),
    resnet.network(),
    "layer4.1.bn2.running_mean",
  ),
  "tsn_resnet50": (
    (1000, 25_557_032, 267),
    resnet.network(),
    "layer1.0.downsample.0.weight",
  ),
}


def _variables(model, shape=(1, 4, 64, 64, 3)):
  clip = jax.ShapeDtypeStruct(shape, jnp.float32)
  return jax.eval_shape(model.init, jax.random.key(0), clip)


def _count(variables):
  return sum(leaf.size for leaf in jax.tree.leaves(variables["params"]))


@pytest.mark.parametrize(
  "name",
  [
    # The larger ones take many seconds to trace.
    pytest.param(
      name,
      marks=[pytest.mark.slow]
      if name.endswith(("small", "base", "101"))
      else [],
    )
    for name in PUBLISHED
  ],
)
def test_has_the_published_files_tensors(name):
  (num_classes, num_parameters, num_tensors), rules, tensor = PUBLISHED[name]
  model = temporal_jax.create_model(name, num_classes=num_classes)
  variables = _variables(model)
  assert _count(variables) == num_parameters
  tensors = jax.eval_shape(lambda tree: revert(rules, tree), variables)
  assert len(tensors) == num_tensors
  assert tensor in tensors


def test_an_operator_adds_its_own_parameters_alone():
  small = {"num_classes": 174, "stage_sizes": (2, 2, 2, 3), "width": 8}
  plain, shift, full = (
    _count(_variables(temporal_jax.create_model(name, **small)))
    for name in ("blvnet_50", "blvnet_tsm_50", "blvnet_tam_50")
  )
  assert plain == shift
  # Three taps at the stem, before three modules, in three bottlenecks.
  assert full - plain == 3 * (8 + 8 + 32 + 64 + 128 + 256 + 256)


def test_arithmetic_sits_once_before_the_third_stage():
  model = temporal_jax.create_model("atm_resnet18", num_classes=174)
  plain = temporal_jax.create_model("tsn_resnet18", num_classes=174)
  ours, theirs = _variables(model)["params"], _variables(plain)["params"]
  assert ours.keys() - theirs.keys() == {"stage3_block1_input"}
  kernel = ours["stage3_block1_input"]["correlation"]["reduce"]["conv"]
  assert kernel["kernel"].shape == (3, 3, 128, 64)
