"""TimeSformers in torch: random weights in, their logits out, and back."""

import jax
import numpy as np
import pytest
import torch
import transformers

import convert_weights
from convert_weights.formats import timesformer
from tests.support import conversion_plans, torch_video_transformers as theirs

FORMATS = {source.name: source for source in timesformer.FORMATS}
ROWS = {
  "divided": "timesformer_b16",
  "joint": "timesformer_b16_joint",
  "space": "timesformer_b16_space",
}
_KINDS = {"divided": "divided_space_time", "joint": "joint_space_time"}


CLIPS = theirs.draw_clips()


def _build(pattern, num_classes=5, **kwargs):
  frames = {} if pattern == "space" else {"num_temporal_positions": theirs.FRAMES}
  sizes = {**theirs.SIZES, **frames, **kwargs}
  return conversion_plans.build(ROWS[pattern], num_classes, **sizes)


@pytest.mark.parametrize("pattern", ["divided", "joint"])
def test_authors_names(pattern):
  module = conversion_plans.shake(theirs.TimeSformer(pattern))
  tensors = conversion_plans.tensors_of(module)
  source, network = FORMATS["timesformer"], _build(pattern)
  variables = conversion_plans.converted(source, network, tensors)
  logits, _ = conversion_plans.apply(network, variables, CLIPS)
  with torch.no_grad():
    want = module(torch.tensor(CLIPS))
  assert conversion_plans.distance(logits, want) < 1e-5
  conversion_plans.check_back(source, network, variables, tensors)
  conversion_plans.check_renamed(source, network, tensors, tensors)


@pytest.mark.parametrize("pattern", ROWS)
def test_mmaction2_names(pattern):
  module = conversion_plans.shake(theirs.TimeSformer(pattern))
  tensors = theirs.mmaction2_names(conversion_plans.tensors_of(module), pattern)
  source, network = FORMATS["mmaction2_timesformer"], _build(pattern)
  variables = conversion_plans.converted(source, network, tensors)
  logits, _ = conversion_plans.apply(network, variables, CLIPS)
  with torch.no_grad():
    want = module(torch.tensor(CLIPS))
  assert conversion_plans.distance(logits, want) < 1e-5
  conversion_plans.check_back(source, network, variables, tensors)


def test_a_file_of_the_authors_has_a_prefix_and_other_numbers_of_frames():
  tensors = conversion_plans.tensors_of(theirs.TimeSformer("divided"))
  tensors = {f"model.{name}": value for name, value in tensors.items()}
  sizes = {**theirs.SIZES, "num_temporal_positions": 2 * theirs.FRAMES}
  variables = convert_weights.convert("timesformer_b16", tensors, **sizes)
  moments = variables["params"]["temporal_embedding"]
  assert moments.shape == (2 * theirs.FRAMES, theirs.WIDTH)
  network = _build("divided", **sizes)
  logits, _ = conversion_plans.apply(network, variables, np.repeat(CLIPS, 2, axis=1))
  assert np.isfinite(logits).all()


def test_frames_by_themselves_are_timms_vit():
  module = conversion_plans.shake(theirs.TimeSformer("space"))
  tensors = conversion_plans.tensors_of(module)
  sizes = theirs.SIZES
  variables = convert_weights.convert("timesformer_b16_space", tensors, **sizes)
  logits, _ = conversion_plans.apply(_build("space"), variables, CLIPS)
  with torch.no_grad():
    want = module(torch.tensor(CLIPS))
  assert conversion_plans.distance(logits, want) < 1e-5


def _config(pattern, **sizes):
  return transformers.TimesformerConfig(
    **{
      **theirs.CONFIG,
      "patch_size": theirs.PATCH,
      "attention_type": _KINDS[pattern],
      **sizes,
    }
  )


@pytest.mark.parametrize("pattern", _KINDS)
def test_transformers_names(pattern, tmp_path):
  module = transformers.TimesformerForVideoClassification(_config(pattern))
  conversion_plans.shake(module)
  tensors = conversion_plans.tensors_of(module)
  source, network = FORMATS["huggingface_timesformer"], _build(pattern)
  variables = conversion_plans.converted(source, network, tensors)
  logits, _ = conversion_plans.apply(network, variables, CLIPS)
  want = theirs.call(module, CLIPS).logits
  assert conversion_plans.distance(logits, want) < 1e-5
  conversion_plans.check_back(source, network, variables, tensors)
  module.save_pretrained(tmp_path)
  checkpoint = convert_weights.read(tmp_path)
  assert checkpoint.tensors.keys() == tensors.keys()
  row, sizes = ROWS[pattern], {**theirs.SIZES, "num_temporal_positions": theirs.FRAMES}
  read = convert_weights.convert(
    row, checkpoint.tensors, settings=checkpoint.settings, **sizes
  )
  jax.tree.map(np.testing.assert_array_equal, read, variables)


def test_transformers_model_gives_features():
  module = conversion_plans.shake(transformers.TimesformerModel(_config("divided")))
  tensors = conversion_plans.tensors_of(module)
  source, network = FORMATS["huggingface_timesformer_model"], _build("divided", None)
  variables = conversion_plans.converted(source, network, tensors)
  features, _ = conversion_plans.apply(network, variables, CLIPS)
  want = theirs.call(module, CLIPS).last_hidden_state[:, 0]
  assert conversion_plans.distance(features, want) < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("pattern", _KINDS)
def test_published_size_equals_transformers(pattern):
  sizes = {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12}
  sizes |= {"num_attention_heads": 12, "image_size": 224, "patch_size": 16}
  config = _config(pattern, **sizes, num_frames=8, num_labels=400)
  module = transformers.TimesformerForVideoClassification(config)
  conversion_plans.shake(module, 0.02)  # As wide as they are.
  network = conversion_plans.build(ROWS[pattern], 400)
  clip = np.random.default_rng(0).standard_normal((1, 8, 224, 224, 3), np.float32)
  tensors = conversion_plans.tensors_of(module)
  variables = conversion_plans.converted(
    FORMATS["huggingface_timesformer"], network, tensors
  )
  logits, _ = conversion_plans.apply(network, variables, clip)
  with torch.no_grad():
    want = module(torch.tensor(clip).permute(0, 1, 4, 2, 3)).logits
  assert conversion_plans.distance(logits, want) < 1e-5


def test_takes_no_network_of_another_form():
  for row in ("vit_b16", "vit_b32_divided", "tsm_vit_b16", "resnet50", "xclip_b32"):
    for source in FORMATS.values():
      assert not source.takes(conversion_plans.build(row))


def test_a_video_mae_is_refused_in_words():
  tensors = conversion_plans.tensors_of(theirs.VideoMae())
  with pytest.raises(ValueError, match="timesformer_b16 does not take the weights of"):
    convert_weights.convert("timesformer_b16", tensors)
