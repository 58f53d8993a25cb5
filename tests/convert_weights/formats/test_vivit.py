"""ViViTs: random weights of transformers and scenic in, their logits out."""

import functools

import jax
import numpy as np
import pytest
import torch
import transformers

import convert_weights
from convert_weights.formats import vivit
from temporal_jax.models import TemporalEncoder
from tests.support import conversion_plans, torch_video_transformers as theirs

FORMATS = {source.name: source for source in vivit.FORMATS}
SHAPES = theirs.scenic_shapes()
_TUBELETS = theirs.FRAMES // 2
_JOINT = {**theirs.SIZES, "num_temporal_positions": _TUBELETS}


CLIPS = theirs.draw_clips()


@pytest.mark.parametrize("kind", SHAPES)
def test_scenic_names(kind):
  rng = np.random.default_rng(1)
  tensors = {
    name: rng.standard_normal(shape, np.float32) * 0.2
    for name, shape in SHAPES[kind].items()
  }
  row, sizes, name = "vivit_b16x2", _JOINT, "scenic_vivit"
  if kind == "factorised":
    head = functools.partial(
      TemporalEncoder, num_blocks=theirs.DEPTH, num_positions=_TUBELETS
    )
    row, sizes = "vivit_b16x2_factorised", {**theirs.SIZES, "head": head}
    name = "scenic_vivit_factorised"
  source, network = FORMATS[name], conversion_plans.build(row, 5, **sizes)
  variables = convert_weights.convert(row, tensors, **sizes)
  logits, _ = conversion_plans.apply(network, variables, CLIPS)
  want = theirs.scenic_vivit(tensors, torch.tensor(CLIPS))
  assert conversion_plans.distance(logits, want) < 1e-5
  conversion_plans.check_back(source, network, variables, tensors)


def _config(**sizes):
  return transformers.VivitConfig(
    **{
      **theirs.CONFIG,
      "tubelet_size": [2, theirs.PATCH, theirs.PATCH],
      **sizes,
    }
  )


def test_transformers_names(tmp_path):
  module = transformers.VivitForVideoClassification(_config())
  conversion_plans.shake(module)
  tensors = conversion_plans.tensors_of(module)
  source = FORMATS["huggingface_vivit"]
  network = conversion_plans.build("vivit_b16x2", 5, **_JOINT)
  variables = conversion_plans.converted(source, network, tensors)
  logits, _ = conversion_plans.apply(network, variables, CLIPS)
  assert conversion_plans.distance(logits, theirs.call(module, CLIPS).logits) < 1e-5
  module.save_pretrained(tmp_path)
  checkpoint = convert_weights.read(tmp_path)
  read = convert_weights.convert(
    "vivit_b16x2", checkpoint.tensors, settings=checkpoint.settings, **_JOINT
  )
  jax.tree.map(np.testing.assert_array_equal, read, variables)
  conversion_plans.check_back(source, network, variables, checkpoint.tensors)


def test_transformers_model_gives_the_pooled_token():
  module = conversion_plans.shake(transformers.VivitModel(_config()))
  tensors = conversion_plans.tensors_of(module)
  network = conversion_plans.build(
    "vivit_b16x2", None, representation=theirs.WIDTH, **_JOINT
  )
  source = FORMATS["huggingface_vivit_model"]
  variables = conversion_plans.converted(source, network, tensors)
  features, _ = conversion_plans.apply(network, variables, CLIPS)
  want = theirs.call(module, CLIPS).pooler_output
  assert conversion_plans.distance(features, want) < 1e-5


@pytest.mark.slow
def test_published_size_equals_transformers():
  network = conversion_plans.build("vivit_b16x2", 400)
  module = transformers.VivitForVideoClassification(
    transformers.VivitConfig(num_labels=400)
  )
  conversion_plans.shake(module, 0.02)  # As wide as they are.
  tensors = conversion_plans.tensors_of(module)
  variables = conversion_plans.converted(FORMATS["huggingface_vivit"], network, tensors)
  clip = np.random.default_rng(0).standard_normal((1, 32, 224, 224, 3), np.float32)
  logits, _ = conversion_plans.apply(network, variables, clip)
  assert conversion_plans.distance(logits, theirs.call(module, clip).logits) < 1e-5


def test_takes_no_network_of_another_form():
  for row in ("vit_b16", "timesformer_b16_joint", "videomae_b16", "resnet50"):
    for source in FORMATS.values():
      assert not source.takes(conversion_plans.build(row))
