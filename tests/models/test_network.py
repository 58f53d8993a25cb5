"""Groups and layers of networks fit their parameters and modules."""

import fnmatch
import re

import jax
import pytest

import temporal_jax
from temporal_jax.models import MODELS, count
from temporal_jax.models.inspect.trace import trace_calls
from temporal_jax.models.network import ParameterGroups, VisualLayers
from tests.support import tiny_networks

NAMES = list(tiny_networks.NETWORKS)
TRANSFORMERS = {"transformer": "", "video_text": "visual/"}


def _parameters(name):
  """Names of the parameters of a network of two blocks."""
  depth = {"depth": 2} if name in TRANSFORMERS else {}
  network = tiny_networks.build(name, **depth)
  leaves = tiny_networks.flat(tiny_networks.shapes(network, tiny_networks.clip()))
  names = ["/".join(path[1:]) for path in leaves if path[0] == "params"]
  return network, names


def _fitting(regex, names):
  return [name for name in names if re.fullmatch(regex, name)]


def test_every_class_of_the_catalog_is_tried():
  classes = {entry.module.__name__ for entry in MODELS.values()}
  assert tiny_networks.by_class().keys() == classes


@pytest.mark.parametrize("name", NAMES)
def test_groups_fit_the_parameters(name):
  network, names = _parameters(name)
  groups = network.parameter_groups()
  if name not in TRANSFORMERS:
    assert groups == ParameterGroups()
    return
  before = _fitting(groups.before_blocks, names)
  assert f"{TRANSFORMERS[name]}patch_embedding/kernel" in before
  numbers = {
    int(match["number"]) for x in names if (match := re.fullmatch(groups.blocks, x))
  }
  assert numbers == {1, 2}
  assert not set(before) & set(_fitting(groups.blocks, names))


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_splits_name_a_dimension_of_every_parameter_they_fit(name):
  network = tiny_networks.build(name)
  leaves = tiny_networks.flat(tiny_networks.shapes(network, tiny_networks.clip()))
  shapes = {"/".join(path[1:]): leaf.shape for path, leaf in leaves.items()}
  used = 0
  for regex, axes in network.parameter_groups().tensor:
    for fitting in _fitting(regex, shapes):
      assert len(axes) == len(shapes[fitting])
      assert axes.count("tensor") == 1
      used += 1
  assert used >= 6  # Heads in three, hidden units in three.


@pytest.mark.parametrize("name", NAMES)
def test_visual_layers_are_modules_of_the_network(name):
  depth = {"depth": 2} if name in TRANSFORMERS else {}
  network, clip = tiny_networks.build(name, **depth), tiny_networks.clip()
  variables = tiny_networks.shapes(network, clip)
  calls = trace_calls(network.apply, variables, clip)
  names = ["/".join(call.path) for call in calls]
  layers = network.visual_layers()
  for regexes in (layers.features, layers.gradients):
    assert _fitting(regexes[0], names)
  if name in TRANSFORMERS:
    attention = _fitting(layers.attention, names)
    prefix = TRANSFORMERS[name]
    assert attention == [f"{prefix}block1/attention", f"{prefix}block2/attention"]
    assert _fitting(layers.features[0], names)[-1] == f"{prefix}block2"
    assert _fitting(layers.gradients[0], names)[-1] == f"{prefix}block2/norm1"
  elif name == "slowfast":
    assert _fitting(layers.features[0], names)[-1] == "slow_stage1_block1"
  else:
    assert layers == VisualLayers()


def test_only_networks_that_compare_texts_read_them():
  reading = {
    name for name in MODELS if temporal_jax.create_model(name, num_classes=3).reads_text
  }
  assert reading == set(fnmatch.filter(MODELS, "ila_*")) | {
    *fnmatch.filter(MODELS, "xclip_*"),
    *("tadaformer_b16_text", "tadaformer_l14_text"),
  }
  linear = temporal_jax.create_model("xclip_b32", num_classes=3, head="linear")
  assert not linear.reads_text


def test_inputs_are_a_clip_and_texts_for_who_reads_them():
  texts = temporal_jax.create_model("xclip_b32", num_classes=3)
  clip, text = count.abstract_inputs(texts, (8, 32, 64), 5)
  assert (clip.shape, text.shape) == ((1, 8, 32, 64, 3), (5, 512))
  plain = temporal_jax.create_model("resnet18", num_classes=3)
  assert count.abstract_inputs(plain, (8, 32, 64), 5) == [
    jax.ShapeDtypeStruct((1, 8, 32, 64, 3), "float32")
  ]
