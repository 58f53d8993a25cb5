"""Weights with one temporal operator start a network with another."""

import functools
import json

import flax.traverse_util as trees
import jax
import numpy as np
import pytest

from temporal_jax import experiment, inference, training
from temporal_jax.configs import tada
from temporal_jax.experiment.network import create_network, network_arguments

_SIZES = {"width": 64, "num_heads": 1, "depth": 1, "patch_size": 8}
_CLIP = (1, 4, 16, 16, 3)
_NAMES = ("a", "b", "c")
_PROJECTION = "params/block1/attention_branch/expand/kernel"


def _config(run, **more):
  config = tada.get_config(run)
  config.model.overrides.update({**_SIZES, **more})
  config.data.num_frames, config.data.image_size = 4, 16
  config.data.canvas = (18, 24)
  config.batch_size = 1
  return config


def _draw(config):
  """Variables of a config's network, no two alike, and its model.json."""
  shapes = training.variable_shapes(create_network(config, len(_NAMES)), _CLIP)
  rng = np.random.default_rng(0)
  variables = jax.tree.map(lambda x: rng.random(x.shape, np.float32), shapes)
  return variables, {
    "model": config.model.name,
    "overrides": network_arguments(config),
    "num_classes": len(_NAMES),
    "clip_shape": list(_CLIP[1:]),
    "class_names": list(_NAMES),
    "pixels": {"mean": [0.5] * 3, "std": [0.25] * 3},
  }


def _components(config):
  settings = experiment.RunSettings.from_config(config, jax.devices()[:1])
  return settings, experiment.assemble(settings, len(_NAMES), num_videos=8)


def _graft(config, loaded, description, directory):
  """Returns the fresh leaves and those with the weights in place."""
  config.init_from = str(directory)
  (directory / "model.json").write_text(json.dumps(description))
  fresh, _ = _draw(config)
  fresh = jax.tree.map(np.negative, fresh)
  allowed = experiment.fitting(*_components(config), _NAMES, loaded)
  grafted = training.graft(
    fresh,
    loaded,
    replaceable="params/head/.*",
    operator=allowed.operator,
    inflated=allowed.inflated,
  )
  leaves = (trees.flatten_dict(t, sep="/") for t in (fresh, grafted.variables))
  return *leaves, grafted.kept


def test_one_branch_per_block_becomes_the_first_of_two(tmp_path):
  variables, description = _draw(_config("former_b16_k710"))
  fresh, leaves, new = _graft(
    _config("former_b16_ssv2"), variables, description, tmp_path
  )
  loaded = trees.flatten_dict(variables, sep="/")
  assert set(new) == leaves.keys() - loaded.keys()
  assert {name.split("/")[2] for name in new} == {"mlp_branch"}
  kernel = leaves.pop(_PROJECTION)
  assert kernel.shape == (3, 64, 32)
  np.testing.assert_array_equal(kernel[1], loaded[_PROJECTION])
  assert not kernel[::2].any()
  for name, value in leaves.items():
    want = fresh if name in new else loaded
    np.testing.assert_array_equal(value, want[name], err_msg=name)


@pytest.mark.parametrize("temporal", ["none", "divided"])
def test_positions_of_frames_start_anew_or_are_left_out(tmp_path, temporal):
  """A ViT of single frames starts one over time, and back."""
  name = "params/temporal_embedding"
  over_time, single = (_config("former_b16_k710") for _ in range(2))
  over_time.model.name = single.model.name = "vit_b32_joint"
  over_time.model.temporal, single.model.temporal = temporal, "none"
  single.model.overrides.num_temporal_positions = 0
  _, leaves, new = _graft(over_time, *_draw(single), tmp_path)
  assert name in leaves
  assert name in new
  assert (new == (name,)) == (temporal == "none")  # Others are of the operator.
  _, leaves, new = _graft(single, *_draw(over_time), tmp_path)
  assert name not in leaves
  assert not new


@pytest.mark.slow
def test_only_a_projection_that_fits_is_taken(tmp_path):
  """With another width it starts anew, and another network is refused."""
  narrow = _config("former_b16_k710")
  narrow.model.temporal = "adaptive_branch(reduction=4)"
  weights = _draw(narrow)
  _, _, new = _graft(_config("former_b16_ssv2"), *weights, tmp_path)
  assert _PROJECTION in new
  with pytest.raises(ValueError, match=r"- params/block2/attention/out/bias"):
    _graft(_config("former_b16_ssv2", depth=2), *weights, tmp_path)


@pytest.mark.slow
def test_the_start_lists_what_is_taken_and_what_is_new(tmp_path):
  inference.save_model(tmp_path / "k710", *_draw(_config("former_b16_k710")))
  config = _config("former_b16_ssv2")
  config.init_from = str(tmp_path / "k710")
  settings, components = _components(config)
  start = training.first_state(
    functools.partial(training.init_variables, components.model, settings.clip_shape),
    components.optimizer,
    components.shapes,
    seed=0,
    init_from=config.init_from,
    fitting=functools.partial(experiment.fitting, settings, components, _NAMES),
    checkpoints=training.Checkpoints(tmp_path / "run"),
  )
  branch = start.state.params["block1"]["mlp_branch"]
  assert not branch["contract"]["kernel"].any()  # It adds nothing yet.
  new = start.origin.split("; ")[1]
  assert new.startswith("new: 26 leaves (18 x params/block*/mlp_branch/aggregation/..")
  assert new.count("/mlp_branch/") == new.count(", ") + 1  # And nothing else.
  assert f"; the middle of several taps: {_PROJECTION}" in start.origin
