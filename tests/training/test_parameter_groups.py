import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax.training.parameter_groups import (
  Group,
  describe_groups,
  parameter_groups,
  stop_frozen,
)


def _array(*shape):
  return jax.ShapeDtypeStruct(shape, jnp.float32)


PARAMS = {
  "patch_embedding": {"kernel": _array(4, 4, 3, 8), "bias": _array(8)},
  "class_token": _array(8),
  "position_embedding": _array(5, 8),
  "block1": {
    "attention": {"qkv": {"kernel": _array(8, 24), "bias": _array(3, 2, 4)}},
    "norm": {"scale": _array(8), "bias": _array(8)},
    "gamma": _array(8),
  },
  "head": {"kernel": _array(8, 3), "bias": _array(3)},
}


def _decays(**kwargs):
  groups = parameter_groups(PARAMS, weight_decay=0.05, **kwargs)
  return {name: group.weight_decay for name, group in groups.items()}


def test_vectors_do_not_decay_nor_do_biases_of_several_axes():
  decays = _decays()
  decayed = {name for name, decay in decays.items() if decay}
  assert decayed == {
    "patch_embedding/kernel",
    "position_embedding",
    "block1/attention/qkv/kernel",
    "head/kernel",
  }
  assert decays["head/kernel"] == 0.05


def test_vectors_decay_if_told():
  assert set(_decays(decay_vectors=True).values()) == {0.05}


def test_a_rule_that_fits_always_counts():
  decays = _decays(
    decay_factors=((".*/gamma", 1), ("head/bias", 2.0), ("head/.*", 0.0))
  )
  assert decays["block1/gamma"] == 0.05
  assert decays["head/bias"] == 0.1
  assert decays["head/kernel"] == 0
  assert decays["block1/norm/scale"] == 0
  assert decays["position_embedding"] == 0.05


def test_the_first_rule_that_fits_counts():
  groups = parameter_groups(
    PARAMS,
    weight_decay=0.0,
    lr_factors=(("head/kernel", 5), ("head/.*", 10.0), (".*", 0.1)),
  )
  assert groups["head/kernel"].lr_factor == 5
  assert groups["head/bias"].lr_factor == 10
  assert groups["class_token"].lr_factor == 0.1


def test_rules_are_on_top_of_the_layer_decay():
  groups = parameter_groups(
    PARAMS,
    weight_decay=0.1,
    lr_factors=((".*/gamma", 10.0),),
    frozen=("patch_embedding/.*",),
    layer_decay=0.5,
    layer_decay_except=("block1/norm/.*",),
    layer_decay_first="(patch_embedding|class_token)(/.*)?",
    blocks=r"block(?P<number>\d+)/.*",
  )
  assert groups["class_token"] == Group(0.25, 0.0, frozen=False)
  assert groups["block1/gamma"] == Group(5.0, 0.0, frozen=False)
  assert groups["block1/norm/scale"] == Group(1.0, 0.0, frozen=False)
  assert groups["head/kernel"] == Group(1.0, 0.1, frozen=False)
  assert groups["patch_embedding/kernel"] == Group(0.0, 0.0, frozen=True)


def test_the_table_counts_every_parameter_once():
  groups = parameter_groups(
    PARAMS,
    weight_decay=0.05,
    lr_factors=(("head/.*", 10.0),),
    frozen=("block1/.*",),
  )
  title, *rows = describe_groups(PARAMS, groups).splitlines()
  assert title.split("  ") == [
    "lr factor",
    "weight decay",
    "tensors",
    "parameters",
    "for example",
  ]
  assert [row.split() for row in rows] == [
    ["10", "0.05", "1", "24", "head/kernel"],
    ["10", "0", "1", "3", "head/bias"],
    ["1", "0.05", "2", "424", "patch_embedding/kernel"],
    ["1", "0", "2", "16", "class_token"],
    ["frozen", "5", "240", "block1/attention/qkv/bias"],
  ]


def test_frozen_parameters_have_no_gradient():
  params = {"a": jnp.ones(2), "b": jnp.ones(2)}
  groups = parameter_groups(params, weight_decay=0.0, frozen=("a",))

  def loss(params):
    params = stop_frozen(params, groups)
    return jnp.sum(params["a"] * params["b"] * 3)

  value, grads = jax.value_and_grad(loss)(params)
  assert value == 6
  np.testing.assert_array_equal(grads["a"], 0)
  np.testing.assert_array_equal(grads["b"], 3)


def test_only_the_trained_parameters_are_trained():
  groups = parameter_groups(
    PARAMS,
    weight_decay=0.05,
    lr_factors=((".*/bias", 2.0),),
    trained=("head/.*", ".*/gamma"),
  )
  assert {name for name, group in groups.items() if not group.frozen} == {
    "block1/gamma",
    "head/kernel",
    "head/bias",
  }
  assert groups["head/bias"] == Group(2.0, 0.0, frozen=False)
  rest = tuple(name for name, group in groups.items() if group.frozen)
  assert groups == parameter_groups(
    PARAMS, weight_decay=0.05, lr_factors=((".*/bias", 2.0),), frozen=rest
  )


@pytest.mark.parametrize(
  ("field", "rules"),
  [
    ("lr_factors", (("?.*/route/.*", 5.0), ("head/.*", 2.0))),
    ("decay_factors", (("?.*/route/.*", 0.0), ("?head/.*", 1.0))),
    ("frozen", ("?.*/route/.*", "head/.*")),
    ("trained", ("?.*/route/.*", "head/.*")),
  ],
)
def test_after_a_question_mark_a_regex_may_fit_nothing(field, rules):
  plain = [rule for rule in rules if "route" not in str(rule)]
  plain = [
    rule.removeprefix("?")
    if isinstance(rule, str)
    else (rule[0].removeprefix("?"), rule[1])
    for rule in plain
  ]
  got = parameter_groups(PARAMS, weight_decay=0.05, **{field: rules})
  assert got == parameter_groups(PARAMS, weight_decay=0.05, **{field: plain})


@pytest.mark.parametrize(
  ("change", "message"),
  [
    (
      {"lr_factors": (("hed/.*", 2.0),)},
      r"lr_factors: 'hed/\.\*' must fit the whole name .*; did you mean 'head/",
    ),
    ({"lr_factors": (("head", 2.0),)}, "'head' must fit the whole name"),
    (
      {"decay_factors": (("head/.*", 1.0), ("head/bias", 0.0))},
      "decay_factors: 'head/bias' has no effect: earlier regexes fit every",
    ),
    ({"frozen": ("visual/.*",)}, r"frozen: 'visual/\.\*' must fit"),
    ({"frozen": (".*",)}, r"frozen \('.\*',\) leaves nothing to train"),
    ({"frozen": ("(",)}, r"frozen: '\(' is no regex"),
    ({"trained": ("visual/.*",)}, r"trained: 'visual/\.\*' must fit"),
    ({"trained": ("?x",)}, r"trained \('\?x',\) leaves nothing to train"),
    (
      {"trained": ("head/.*",), "frozen": ("class_token",)},
      r"frozen \('class_token',\) and trained \('head/\.\*',\) are one choice",
    ),
    ({"frozen": ("?(",)}, r"frozen: '\(' is no regex"),
    ({"lr_factors": ("head/.*", 2.0)}, r"must be pairs .* got 'head/.\*'"),
    ({"lr_factors": (("head/.*", -2.0),)}, "a factor must be 0 or above"),
    ({"weight_decay": -0.1}, "weight_decay must be 0 or above, got -0.1"),
    ({"layer_decay": 2.0}, "layer_decay must be in"),
  ],
)
def test_what_makes_no_sense_is_refused(change, message):
  with pytest.raises(ValueError, match=message):
    parameter_groups(PARAMS, **{"weight_decay": 0.05} | change)
