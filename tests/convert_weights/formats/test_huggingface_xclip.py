"""XCLIPModel of transformers: its random weights in, its outputs out."""

import jax
import numpy as np
import pytest
import torch
import transformers

import convert_weights
from convert_weights.apply import revert_rules
from convert_weights.formats import huggingface_xclip
from convert_weights.plan import plan_conversion
from temporal_jax import ops
from tests.support import conversion_plans
from tests.support.tiny_video_text import SIZES, TEXTS, huggingface_config, make_clip

(SOURCE,) = huggingface_xclip.FORMATS


@pytest.fixture(scope="module")
def theirs():
  return conversion_plans.shake(transformers.XCLIPModel(huggingface_config()))


@pytest.fixture(scope="module")
def network():
  return conversion_plans.build("xclip_b32", None, **SIZES)


def test_gives_its_logits_and_features(theirs, network):
  clip = make_clip()
  with torch.no_grad():
    want = theirs(
      input_ids=torch.tensor(TEXTS),
      pixel_values=torch.tensor(clip).permute(0, 1, 4, 2, 3),
    )
  tensors = conversion_plans.tensors_of(theirs)
  variables = conversion_plans.converted(SOURCE, network, tensors)
  logits, aux = jax.jit(network.apply)(variables, clip, TEXTS)
  assert conversion_plans.distance(logits, want.logits_per_video) < 1e-5
  videos = ops.l2_normalize(aux["features"])
  assert conversion_plans.distance(videos, want.video_embeds) < 1e-5


def test_goes_back_exactly(theirs, network):
  tensors = conversion_plans.tensors_of(theirs)
  variables = conversion_plans.converted(SOURCE, network, tensors)
  back = revert_rules(SOURCE.rules(network), variables)
  assert back.keys() == tensors.keys()
  for name, value in back.items():
    np.testing.assert_array_equal(value, tensors[name])


def test_a_tensor_renamed_is_a_problem_twice(theirs, network):
  tensors = conversion_plans.tensors_of(theirs)
  conversion_plans.check_renamed(SOURCE, network, tensors, tensors)


def _saved(theirs, folder, **config):
  """Reads what transformers saves."""
  theirs.save_pretrained(folder)
  settings = transformers.XCLIPConfig.from_pretrained(folder)
  for name, value in config.items():
    setattr(settings.vision_config, name, value)
  settings.save_pretrained(folder)
  return convert_weights.read(folder)


def test_a_folder_of_save_pretrained_is_enough(theirs, network, tmp_path):
  saved = _saved(theirs, tmp_path)
  # Layers of integration and prompt are counted, heads read in config.json.
  sizes = {k: v for k, v in SIZES.items() if "heads" not in k and k != "prompt_depth"}
  plan = plan_conversion("xclip_b32", saved.tensors, settings=saved.settings, **sizes)
  assert plan.source is SOURCE
  assert plan.network.prompt_depth == 1
  assert plan.network.num_heads == 1
  got = convert_weights.convert(
    "xclip_b32", saved.tensors, settings=saved.settings, **sizes
  )
  want = conversion_plans.converted(
    SOURCE, network, conversion_plans.tensors_of(theirs)
  )
  jax.tree.map(np.testing.assert_array_equal, got, want)


def test_another_activation_is_refused(theirs, tmp_path):
  saved = _saved(theirs, tmp_path, hidden_act="gelu")
  with pytest.raises(ValueError, match=r"hidden_act\) has activation gelu; .*quick"):
    plan_conversion("xclip_b32", saved.tensors, settings=saved.settings, **SIZES)


def test_clips_of_another_length_are_named(theirs):
  tensors = conversion_plans.tensors_of(theirs)
  with pytest.raises(ValueError, match="frames: 3 in the weights, 5 in xclip_b32"):
    plan_conversion("xclip_b32", tensors, **{**SIZES, "num_frames": 5})


@pytest.mark.slow
def test_the_published_sizes_give_its_logits():
  theirs = conversion_plans.shake(
    transformers.XCLIPModel(transformers.XCLIPConfig()), spread=0.01
  )
  tensors = conversion_plans.tensors_of(theirs)
  network = conversion_plans.build("xclip_b32", None)
  done = conversion_plans.planned(SOURCE, network, tensors)
  assert done.problems == ()
  assert not done.new
  variables = conversion_plans.converted(SOURCE, network, tensors)
  rng = np.random.default_rng(0)
  clip = rng.standard_normal((1, 8, 224, 224, 3), np.float32)
  texts = np.array([[49406, 320, 49407], [49406, 539, 49407]])
  logits, aux = jax.jit(network.apply)(variables, clip, texts)
  with torch.no_grad():
    want = theirs(
      input_ids=torch.tensor(texts),
      pixel_values=torch.tensor(clip).permute(0, 1, 4, 2, 3),
    )
  videos = ops.l2_normalize(aux["features"])
  assert conversion_plans.distance(videos, want.video_embeds) < 1e-5
  # Cosines near zero, times the scale.
  error = np.abs(logits - want.logits_per_video.numpy()).max()
  assert error < 1e-5 * np.exp(variables["params"]["log_scale"])
