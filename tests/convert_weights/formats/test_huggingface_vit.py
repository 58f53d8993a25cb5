"""ViTs of transformers: their random weights in, their outputs out."""

import jax
import numpy as np
import pytest
import safetensors.numpy
import torch
import transformers

from convert_weights.apply import revert_rules
from convert_weights.formats import huggingface_vit
from tests.support import conversion_plans
from tests.support.tiny_huggingface_vit import vit_classifier, vit_config

CLASSIFIER, MODEL = huggingface_vit.FORMATS
_TOWER = {"width": 32, "depth": 2, "num_heads": 2, "patch_size": 4, "grid": 4}


@pytest.fixture(scope="module")
def images():
  rng = np.random.default_rng(0)
  return rng.standard_normal((3, 16, 16, 3), np.float32)


@pytest.fixture(scope="module")
def classifier():
  return conversion_plans.shake(vit_classifier())


@pytest.fixture(scope="module")
def model():
  return conversion_plans.shake(transformers.ViTModel(vit_config()))


def _output(module, images):
  with torch.no_grad():
    pixels = torch.tensor(images).permute(0, 3, 1, 2)
    return module(pixels, output_hidden_states=True)


def _plain(num_classes, **kwargs):
  sizes = {**_TOWER, "representation": None, **kwargs}
  return conversion_plans.build("vit_b16_in21k", num_classes, **sizes)


def test_classifier_gives_its_tokens_and_logits(classifier, images):
  network = _plain(5)
  tensors = conversion_plans.tensors_of(classifier)
  variables = conversion_plans.converted(CLASSIFIER, network, tensors)
  logits, aux = jax.jit(network.apply)(variables, images[:, None])
  want = _output(classifier, images)
  assert conversion_plans.distance(logits, want.logits) < 1e-5
  tokens = aux["tokens"][:, 0]
  assert conversion_plans.distance(tokens, want.hidden_states[-1]) < 1e-5


def test_pooler_is_the_layer_before_the_classes(model, images):
  network = _plain(None, representation=32)
  tensors = conversion_plans.tensors_of(model)
  variables = conversion_plans.converted(MODEL, network, tensors)
  features, aux = jax.jit(network.apply)(variables, images[:, None])
  want = _output(model, images)
  assert conversion_plans.distance(features, want.pooler_output) < 1e-5
  last = want.last_hidden_state[:, 0]
  assert conversion_plans.distance(aux["class_tokens"][:, 0], last) < 1e-5


@pytest.mark.parametrize("source", [CLASSIFIER, MODEL], ids=lambda s: s.name)
def test_published_files_have_the_older_names(source, classifier, model, tmp_path):
  module = classifier if source is CLASSIFIER else model
  module.save_pretrained(tmp_path)
  file = safetensors.numpy.load_file(tmp_path / "model.safetensors")
  is_older = f"{'vit.' if source is CLASSIFIER else ''}encoder.layer.0."
  assert any(name.startswith(is_older) for name in file)
  network = _plain(5 if source is CLASSIFIER else None)
  got = conversion_plans.converted(source, network, file)
  want = conversion_plans.converted(
    source, network, conversion_plans.tensors_of(module)
  )
  jax.tree.map(np.testing.assert_array_equal, got, want)
  back = revert_rules(source.rules(network), got)
  for name, value in back.items():
    np.testing.assert_array_equal(value, file[name])
  unused = {name for name in file if name.startswith("pooler")}
  assert file.keys() - back.keys() == unused


# Row, and what images have no weights for, by source.
VIDEO = [
  ("xvit_b16", {"temporal_embedding"} | {"head"}, {"classifier"}),
  ("tsm_vit_b16", set(), set()),
]


@pytest.mark.parametrize(("row", "new", "skipped"), VIDEO)
def test_videos_networks_begin_with_them(row, new, skipped, classifier, model):
  network = conversion_plans.build(row, 5, **_TOWER)
  tensors = conversion_plans.tensors_of(classifier)
  done = conversion_plans.planned(CLASSIFIER, network, tensors)
  assert done.problems == ()
  assert {leaf.split("/")[1] for leaf in done.new} == new
  assert {name.split(".")[0] for name in done.skipped} == skipped
  done = conversion_plans.planned(MODEL, network, conversion_plans.tensors_of(model))
  assert done.problems == ()
  assert {leaf.split("/")[1] for leaf in done.new} == new | {"head"}
  assert {name.split(".")[0] for name in done.skipped} == {"pooler"}


def test_a_tensor_renamed_is_a_problem_twice(classifier, model):
  tensors = conversion_plans.tensors_of(classifier)
  conversion_plans.check_renamed(CLASSIFIER, _plain(5), tensors, tensors)
  tensors = conversion_plans.tensors_of(model)
  network = _plain(5, representation=32)
  conversion_plans.check_renamed(MODEL, network, tensors, tensors)


def test_a_classifier_does_not_stand_in_for_the_layer_before_it(classifier):
  network = _plain(5, representation=32)
  tensors = conversion_plans.tensors_of(classifier)
  problems = conversion_plans.planned(CLASSIFIER, network, tensors).problems
  assert [line.split()[1] for line in problems] == [
    "params/representation/bias",
    "params/representation/kernel",
  ]


def test_takes_no_network_of_another_form():
  for row in ("resnet50", "vit_b16", "atm_vit_b16", "eva_l14", "xclip_b32"):
    assert not MODEL.takes(conversion_plans.build(row))
