import dataclasses
import json

import pytest

from temporal_jax import inference
from temporal_jax.data.views.eval_protocol import EvalProtocol
from temporal_jax.inference.serving.introduction import introduce
from tests.support.tiny_predictor import NAMES, save_tiny


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
  protocol = EvalProtocol(num_frames=2, crop_size=16)
  directory = save_tiny(tmp_path_factory.mktemp("models") / "tiny", protocol)
  return inference.load_model(directory)


def _facts(saved):
  return dict(introduce(saved, {None: NAMES})["facts"])


def test_a_network_is_introduced_in_plain_words(saved):
  got = introduce(saved, {None: NAMES})
  assert json.loads(json.dumps(got))["tasks"] == [
    {"name": "", "count": 3, "classes": list(NAMES)}
  ]
  assert got["model"] == "resnet18"
  facts = dict(got["facts"])
  name, weights, noun = facts["Network"].split(" ")
  assert (name, noun) == ("resnet18,", "weights")
  assert int(weights.replace(",", "")) == sum(
    leaf.size for leaf in _leaves(saved.variables["params"])
  )
  assert facts["Clips"] == (
    "2 frames of 16 \u00d7 16 pixels, the middle of frames as they are"
  )
  assert facts["Whole video"] == "1 clip of frames spread evenly over it"
  assert facts["Arguments"] == "width 8, stage sizes 1"
  assert "License of the weights" not in facts


def _leaves(tree):
  for value in tree.values():
    yield from _leaves(value) if isinstance(value, dict) else (value,)


def test_views_and_arguments_are_said(saved):
  protocol = EvalProtocol(
    num_frames=2,
    crop_size=16,
    sampling="dense",
    stride=4,
    num_clips=10,
    num_crops=3,
    short_side=20,
  )
  overrides = {"num_frames": 2, "temporal": None, "causal": True, "heads": 1}
  description = {**saved.description, "license": "MIT", "overrides": overrides}
  facts = _facts(saved._replace(protocol=protocol, description=description))
  assert facts["Clips"] == (
    "2 frames of 16 \u00d7 16 pixels, 3 crops of frames with a short side of 20"
  )
  assert facts["Whole video"] == "10 clips of one frame in 4"
  assert facts["Arguments"] == "temporal none, causal yes, heads 1"
  assert facts["License of the weights"] == "MIT"
  dense = dataclasses.replace(protocol, stride=1, num_clips=1)
  assert _facts(saved._replace(protocol=dense))["Whole video"] == (
    "1 clip of consecutive frames"
  )
  timed = dataclasses.replace(dense, sampling="interval(16, fps=60)")
  assert _facts(saved._replace(protocol=timed))["Whole video"] == (
    "1 clip of frames chosen by the rule interval(16, fps=60)"
  )
  protocol = EvalProtocol(num_frames=2, crop_size=16, stretch=(16, 20))
  assert _facts(saved._replace(protocol=protocol))["Clips"].endswith(
    "the middle of frames stretched to 16 \u00d7 20"
  )


def test_several_tasks_and_classes_without_names(saved):
  names = {"verb": ("cut", "stir"), "noun": ("0", "1", "2")}
  several = saved._replace(class_names={"verb": ("cut", "stir"), "noun": ()})
  assert introduce(several, names)["tasks"] == [
    {"name": "verb", "count": 2, "classes": ["cut", "stir"]},
    {"name": "noun", "count": 3, "classes": []},
  ]
  unnamed = saved._replace(class_names=())
  assert introduce(unnamed, names)["tasks"] == [
    {"name": "verb", "count": 2, "classes": []},
    {"name": "noun", "count": 3, "classes": []},
  ]
