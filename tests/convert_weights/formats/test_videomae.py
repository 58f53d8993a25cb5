"""VideoMAEs in torch: their random weights in, their outputs out, and back."""

import jax
import numpy as np
import pytest
import torch
import transformers

import convert_weights
from convert_weights.formats import videomae
from tests.support import conversion_plans, torch_video_transformers as theirs

FORMATS = {source.name: source for source in videomae.FORMATS}
# Epsilons of norms in transformers' blocks, and of the last one.
_EPSILONS = {"epsilon": 1e-12, "last_epsilon": 1e-5}


CLIPS = theirs.draw_clips()


def _build(num_classes=5, **kwargs):
  sizes = {**theirs.SIZES, **kwargs}
  return conversion_plans.build("videomae_b16", num_classes, **sizes)


def test_authors_names():
  module = conversion_plans.shake(theirs.VideoMae())
  tensors = conversion_plans.tensors_of(module)
  source, network = FORMATS["videomae"], _build()
  variables = conversion_plans.converted(source, network, tensors)
  logits, _ = conversion_plans.apply(network, variables, CLIPS)
  with torch.no_grad():
    want = module(torch.tensor(CLIPS))
  assert conversion_plans.distance(logits, want) < 1e-5
  conversion_plans.check_back(source, network, variables, tensors)
  conversion_plans.check_renamed(source, network, tensors, tensors)


def test_mmaction2_names():
  module = conversion_plans.shake(theirs.VideoMae())
  tensors = theirs.mmaction2_videomae_names(conversion_plans.tensors_of(module))
  source, network = FORMATS["mmaction2_videomae"], _build()
  variables = conversion_plans.converted(source, network, tensors)
  logits, _ = conversion_plans.apply(network, variables, CLIPS)
  with torch.no_grad():
    want = module(torch.tensor(CLIPS))
  assert conversion_plans.distance(logits, want) < 1e-5
  tensors.pop("backbone.pos_embed")
  conversion_plans.check_back(source, network, variables, tensors)


def _pretrained(tensors):
  """A checkpoint of pre-training: the encoder next to a decoder."""
  decoder = conversion_plans.tensors_of(theirs.VideoMae(pretrained=True))
  del decoder["patch_embed.proj.weight"], decoder["patch_embed.proj.bias"]
  return {
    **{f"encoder.{name}": value for name, value in tensors.items()},
    **{f"decoder.{name}": value for name, value in decoder.items()},
    "encoder_to_decoder.weight": np.zeros((8, theirs.WIDTH), np.float32),
    "mask_token": np.zeros((1, 1, 8), np.float32),
  }


def test_the_encoder_of_pretraining_gives_its_normed_tokens():
  module = conversion_plans.shake(theirs.VideoMae(pretrained=True))
  tensors = conversion_plans.tensors_of(module)
  sizes = {**theirs.SIZES, "average_first": False}
  variables = convert_weights.convert("videomae_b16", _pretrained(tensors), **sizes)
  network = _build(None, average_first=False)
  features, _ = conversion_plans.apply(network, variables, CLIPS)
  with torch.no_grad():
    want = module(torch.tensor(CLIPS)).mean(1)
  assert conversion_plans.distance(features, want) < 1e-5
  conversion_plans.check_back(FORMATS["videomae_encoder"], network, variables, tensors)


def test_fine_tuning_begins_with_the_encoder_and_a_new_norm():
  tensors = conversion_plans.tensors_of(theirs.VideoMae(pretrained=True))
  plan = convert_weights.plan.plan_conversion(
    "videomae_b16", _pretrained(tensors), num_classes=7, **theirs.SIZES
  )
  new = {leaf.split("/")[1] for leaf in plan.mapping.new}
  assert new == {"norm", "head"}
  assert "encoder.norm.weight" in plan.mapping.skipped
  assert "decoder.norm.weight" in plan.mapping.skipped
  assert not plan.mapping.problems


def _config(**sizes):
  return transformers.VideoMAEConfig(
    **{
      **theirs.CONFIG,
      "patch_size": theirs.PATCH,
      "decoder_hidden_size": 8,
      "decoder_num_hidden_layers": 1,
      "decoder_num_attention_heads": 1,
      "decoder_intermediate_size": 8,
      **sizes,
    }
  )


def test_transformers_names(tmp_path):
  module = transformers.VideoMAEForVideoClassification(_config())
  conversion_plans.shake(module)
  tensors = conversion_plans.tensors_of(module)
  source, network = FORMATS["huggingface_videomae"], _build(**_EPSILONS)
  variables = conversion_plans.converted(source, network, tensors)
  logits, _ = conversion_plans.apply(network, variables, CLIPS)
  assert conversion_plans.distance(logits, theirs.call(module, CLIPS).logits) < 1e-5
  module.save_pretrained(tmp_path)
  checkpoint = convert_weights.read(tmp_path)
  plan = convert_weights.plan.plan_conversion(
    "videomae_b16", checkpoint.tensors, settings=checkpoint.settings, **theirs.SIZES
  )
  assert plan.network == network  # config.json states the epsilons.
  read = convert_weights.convert(
    "videomae_b16", checkpoint.tensors, settings=checkpoint.settings, **theirs.SIZES
  )
  jax.tree.map(np.testing.assert_array_equal, read, variables)
  conversion_plans.check_back(source, network, variables, checkpoint.tensors)


def test_transformers_pretraining(tmp_path):
  module = transformers.VideoMAEForPreTraining(_config(use_mean_pooling=False))
  conversion_plans.shake(module)
  module.save_pretrained(tmp_path)
  checkpoint = convert_weights.read(tmp_path)
  sizes = {**theirs.SIZES, "average_first": False}
  variables = convert_weights.convert(
    "videomae_b16", checkpoint.tensors, settings=checkpoint.settings, **sizes
  )
  network = _build(None, average_first=False, epsilon=1e-12)
  features, aux = conversion_plans.apply(network, variables, CLIPS)
  want = theirs.call(module.videomae, CLIPS).last_hidden_state
  assert conversion_plans.distance(features, want.mean(1)) < 1e-5
  assert aux["tokens"].shape == (2, theirs.FRAMES // 2, theirs.GRID**2, theirs.WIDTH)


@pytest.mark.slow
@pytest.mark.parametrize("row", ["videomae_s16", "videomae_b16"])
def test_published_size_equals_transformers(row):
  network = conversion_plans.build(row, 400, **_EPSILONS)
  config = _config(
    hidden_size=network.width,
    intermediate_size=4 * network.width,
    num_hidden_layers=network.depth,
    num_attention_heads=network.num_heads,
    image_size=224,
    patch_size=16,
    num_frames=16,
    num_labels=400,
  )
  module = transformers.VideoMAEForVideoClassification(config)
  conversion_plans.shake(module, 0.02)  # As wide as they are.
  tensors = conversion_plans.tensors_of(module)
  variables = conversion_plans.converted(
    FORMATS["huggingface_videomae"], network, tensors
  )
  clip = np.random.default_rng(0).standard_normal((1, 16, 224, 224, 3), np.float32)
  logits, _ = conversion_plans.apply(network, variables, clip)
  assert conversion_plans.distance(logits, theirs.call(module, clip).logits) < 1e-5


def test_takes_no_network_of_another_form():
  for row in ("vit_b16", "vit_b32_joint", "timesformer_b16_joint", "resnet50"):
    for source in FORMATS.values():
      assert not source.takes(conversion_plans.build(row))


def test_an_encoder_is_no_image_network():
  tensors = conversion_plans.tensors_of(theirs.VideoMae())
  with pytest.raises(ValueError, match="vit_b16_in21k does not take the weights of"):
    convert_weights.convert("vit_b16_in21k", tensors)
