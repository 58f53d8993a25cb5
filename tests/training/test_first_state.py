import jax
import numpy as np
import pytest

import temporal_jax
from temporal_jax import training


def _variables(num_classes=3, seed=0, **kwargs):
  model = temporal_jax.create_model(
    "resnet18", num_classes=num_classes, width=4, stage_sizes=(1,), **kwargs
  )
  return training.init_variables(model, (1, 2, 8, 8, 3), jax.random.key(seed))


def test_all_leaves_are_taken():
  fresh, loaded = _variables(seed=0), _variables(seed=1)
  got = training.graft(fresh, loaded, replaceable="params/head/.*")
  jax.tree.map(np.testing.assert_array_equal, got.variables, loaded)
  assert got.kept == ()


def test_head_of_another_size_stays_fresh():
  fresh, loaded = _variables(3, seed=0), _variables(7, seed=1)
  got = training.graft(fresh, loaded, replaceable="params/head/.*")
  assert got.kept == ("params/head/bias", "params/head/kernel")
  np.testing.assert_array_equal(
    got.variables["params"]["head"]["kernel"], fresh["params"]["head"]["kernel"]
  )
  np.testing.assert_array_equal(
    got.variables["params"]["stem_conv"]["kernel"],
    loaded["params"]["stem_conv"]["kernel"],
  )


def test_missing_head_stays_fresh():
  fresh, loaded = _variables(seed=0), _variables(seed=1)
  del loaded["params"]["head"]
  got = training.graft(fresh, loaded, replaceable="params/head/.*")
  assert got.kept == ("params/head/bias", "params/head/kernel")


@pytest.mark.parametrize(
  ("fresh", "loaded", "message"),
  [
    ("aggregation", None, r"- params/stage1_block1/branch_input/kernel"),
    (None, "aggregation", r"\+ params/stage1_block1/branch_input/kernel"),
  ],
)
def test_missing_and_unused_leaves_are_listed(fresh, loaded, message):
  with pytest.raises(ValueError, match=message):
    training.graft(
      _variables(temporal=fresh),
      _variables(temporal=loaded),
      replaceable="params/head/.*",
    )


def test_a_head_of_other_tasks_is_left_out():
  fresh = _variables({"verb": 3, "noun": 2}, seed=0)
  got = training.graft(fresh, _variables(3, seed=1), replaceable="params/head/.*")
  assert "params/head/verb/kernel" in got.kept
  shapes = [jax.tree.map(np.shape, tree) for tree in (got.variables, fresh)]
  assert shapes[0] == shapes[1]


def test_other_shapes_are_listed():
  loaded = _variables()
  loaded["params"]["stem_conv"]["kernel"] = np.zeros((7, 7, 3, 5))
  with pytest.raises(ValueError, match=r"! params/stem_conv/kernel: model"):
    training.graft(_variables(), loaded, replaceable="params/head/.*")


def test_many_leaves_are_counted_by_kind_and_else_by_module():
  blocks = range(1, 4)
  biases = [f"params/block{i}/mlp/bias" for i in blocks]
  assert training.summarize_names(biases) == ", ".join(biases)
  kernels = [f"params/block{i}/mlp/kernel" for i in blocks]
  assert training.summarize_names([*biases, *kernels]) == (
    "6 leaves (3 x params/block*/mlp/bias, 3 x params/block*/mlp/kernel)"
  )
  branch = [f"params/block{i}/branch/{kind}" for i in blocks for kind in "abcde"]
  assert training.summarize_names([*branch, "params/head/bias"]) == (
    "16 leaves (15 x params/block*/branch/..., params/head/bias)"
  )
  apart = [f"params/{kind}" for kind in "abcdef"]
  assert training.summarize_names(apart) == (
    "6 leaves (params/a, params/b, params/c, params/d, 2 other kinds)"
  )
