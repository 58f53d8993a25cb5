"""The published networks of 2-D convolutions, by their shapes alone."""

import jax
import jax.numpy as jnp
import pytest

import temporal_jax

# Row: classes, and parameters of the published file.
PUBLISHED = {
  "tada2d_resnet50": (400, 27_485_472),
  "blvnet_tam_50": (174, 25_020_142),
  "blvnet_tam_101": (174, 40_177_134),
  "blresnet50": (1000, 26_694_568),
  "blresnet101": (1000, 41_851_560),
  "convnext_tiny": (1000, 28_589_128),
  "convnext_small": (1000, 50_223_688),
  "convnext_base": (1000, 88_591_464),
  "tadaconvnext_tiny": (400, 38_661_688),
  "tadaconvnextv2_tiny": (400, 45_971_488),
  "tadaconvnextv2_small": (400, 82_249_120),
  "tadaconvnextv2_base": (400, 145_687_632),
  "resnet18": (1000, 11_689_512),
  "tsn_resnet50": (1000, 25_557_032),
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
      marks=[pytest.mark.slow] if name.endswith(("small", "base", "101")) else [],
    )
    for name in PUBLISHED
  ],
)
def test_has_the_published_parameters(name):
  num_classes, num_parameters = PUBLISHED[name]
  model = temporal_jax.create_model(name, num_classes=num_classes)
  assert _count(_variables(model)) == num_parameters


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
