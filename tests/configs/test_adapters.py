"""configs/adapters.py: what it trains, of every kind of transformer."""

import re

import jax
import pytest

from temporal_jax import experiment
from temporal_jax.configs import adapters, datasets, finetune
from temporal_jax.training.parameter_names import named

_TOWER = {"width": 32, "depth": 2, "num_heads": 2}
# Network and its sizes -> kernels of a block that low-rank adapters are for.
NETWORKS = {
  "vit_b16": (_TOWER, 4),
  "dinov2_b14": ({**_TOWER, "patch_size": 8}, 4),
  "atm_eva_l14": ({**_TOWER, "patch_size": 8, "num_heads": 1}, 5),
  "videomae_b16": (_TOWER, 4),
  "xclip_b32": (_TOWER, 4),
}
# The same of a ResNet: kernels of all its convolutions but the first and the
# projections.
RESNETS = {"resnet18": ({"width": 8}, 16), "resnet50": ({"width": 8}, 48)}


def _assemble(run, network):
  config = adapters.get_config(run)
  config.model.name = network
  config.model.overrides.update({**NETWORKS, **RESNETS}[network][0])
  config.data.num_frames, config.data.image_size = 2, 32
  config = experiment.complete(config)
  settings = experiment.RunSettings.from_config(config, jax.devices()[:1])
  return config, experiment.assemble(settings, 3, num_videos=64)


def _names(components):
  """The names of all parameters, and of those that are trained."""
  groups = components.groups
  return set(groups), {name for name, group in groups.items() if not group.frozen}


@pytest.mark.parametrize("network", NETWORKS)
def test_low_rank_adapters_are_in_attention_and_mlp(network):
  config, components = _assemble("low_rank", network)
  _, trained = _names(components)
  adapted = {name for name in trained if name.startswith("low_rank/")}
  assert trained - adapted == {n for n in trained if n.startswith("head/")}
  # Two factors of each kernel of two blocks.
  assert len(adapted) == 2 * 2 * NETWORKS[network][1]
  assert not any("/text/" in name for name in adapted)
  shapes = named(components.shapes.params)
  assert all(config.adapters.rank in shapes[name].shape for name in adapted)


@pytest.mark.parametrize("network", RESNETS)
def test_low_rank_adapters_are_in_the_convolutions_of_a_resnet(network):
  config, components = _assemble("low_rank_resnet", network)
  _, trained = _names(components)
  adapted = {name for name in trained if name.startswith("low_rank/")}
  assert trained - adapted == {"head/kernel", "head/bias"}
  assert len(adapted) == 2 * RESNETS[network][1]
  assert config.model.freeze_batch_norm


@pytest.mark.parametrize("network", NETWORKS)
def test_temporal_adapters_are_in_every_block(network):
  config, components = _assemble("temporal", network)
  names, trained = _names(components)
  branches = {name for name in names if "/attention_branch/" in name}
  assert trained == branches | {n for n in trained if n.startswith("head/")}
  assert len(branches) == 2 * 6
  assert config.model.temporal == "adapter"


def test_all_else_is_as_in_finetune():
  plain = finetune.get_config().to_dict()
  for run, changes in adapters.RUNS.items():
    config = adapters.get_config(run)
    flat = re.findall(r"^(\w+)\.", "\n".join(changes), re.MULTILINE)
    for part in {*plain} - {*flat, "optim"}:
      assert config.to_dict()[part] == plain[part]


def test_an_unknown_run_is_refused():
  with pytest.raises(datasets.UnknownRunError, match="adapters has no run 'lowrank', "):
    adapters.get_config("lowrank")
  with pytest.raises(datasets.UnknownRunError, match="needs the name of a run"):
    adapters.get_config()
