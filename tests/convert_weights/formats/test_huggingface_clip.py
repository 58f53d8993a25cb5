"""CLIPModel of transformers: its random weights in, its outputs out."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
import transformers

from convert_weights.apply import revert_rules
from convert_weights.formats import huggingface_clip
from temporal_jax import ops
from tests.support import conversion_plans

(SOURCE,) = huggingface_clip.FORMATS
_TOWER = {"width": 32, "depth": 2, "num_heads": 2, "patch_size": 4, "grid": 4}
_END = 49
TEXTS = np.array([[48, 3, _END, 0, 0, 0], [48, 5, 7, 1, 9, _END]])


def _config():
  both = {"num_hidden_layers": 2, "num_attention_heads": 2}
  image = {"hidden_size": 32, "intermediate_size": 128}
  text = {"hidden_size": 16, "intermediate_size": 64}
  return transformers.CLIPConfig(
    vision_config={**both, **image, "image_size": 16, "patch_size": 4},
    text_config={
      **{**both, **text, "vocab_size": 50, "max_position_embeddings": 6},
      **{"eos_token_id": _END, "bos_token_id": 48, "pad_token_id": 0},
    },
    projection_dim=64,
  )


@pytest.fixture(scope="module")
def theirs():
  return conversion_plans.shake(transformers.CLIPModel(_config()))


@pytest.fixture(scope="module")
def images():
  rng = np.random.default_rng(0)
  return rng.standard_normal((3, 16, 16, 3), np.float32)


@pytest.fixture(scope="module")
def wanted(theirs, images):
  with torch.no_grad():
    return theirs(
      input_ids=torch.tensor(TEXTS),
      pixel_values=torch.tensor(images).permute(0, 3, 1, 2),
    )


@pytest.fixture(scope="module")
def network():
  return conversion_plans.build("xclip_b32", **_TOWER, **conversion_plans.TINY_TEXT)


@pytest.fixture(scope="module")
def variables(theirs, network):
  return conversion_plans.converted(
    SOURCE, network, conversion_plans.tensors_of(theirs)
  )


def test_image_tower_gives_its_tokens_and_features(theirs, images, wanted):
  ours = conversion_plans.build("vit_b32", None, **_TOWER, projection=64)
  variables = conversion_plans.converted(
    SOURCE, ours, conversion_plans.tensors_of(theirs)
  )
  features, aux = jax.jit(ours.apply)(variables, images[:, None])
  tokens = wanted.vision_model_output.last_hidden_state
  assert conversion_plans.distance(aux["tokens"][:, 0], tokens) < 1e-5
  scaled = ops.l2_normalize(features)
  assert conversion_plans.distance(scaled, wanted.image_embeds) < 1e-5
  unscaled = wanted.vision_model_output.pooler_output
  assert conversion_plans.distance(features, unscaled) < 1e-5


def test_a_vision_model_is_enough_for_an_image_tower(images):
  model = transformers.CLIPVisionModelWithProjection(_config().vision_config)
  model = conversion_plans.shake(model)
  ours = conversion_plans.build("vit_b32", None, **_TOWER, projection=512)
  variables = conversion_plans.converted(
    SOURCE, ours, conversion_plans.tensors_of(model)
  )
  features, _ = jax.jit(ours.apply)(variables, images[:, None])
  with torch.no_grad():
    want = model(torch.tensor(images).permute(0, 3, 1, 2)).image_embeds
  assert conversion_plans.distance(features, want) < 1e-5


def test_text_tower_gives_its_features(network, variables, wanted):
  features = network.apply(variables, TEXTS, method="encode_text")
  scaled = ops.l2_normalize(features)
  assert conversion_plans.distance(scaled, wanted.text_embeds) < 1e-5
  unscaled = wanted.text_model_output.pooler_output
  assert conversion_plans.distance(features, unscaled) < 1e-5


def test_both_towers_give_its_logits(theirs, images, wanted):
  """Of single frames, in a network whose videos begin as CLIP's images."""
  sizes = {**_TOWER, **conversion_plans.TINY_TEXT, "temporal": None}
  network = conversion_plans.build("xclip_b32", **sizes)
  tensors = conversion_plans.tensors_of(theirs)
  clip = network.bind(conversion_plans.converted(SOURCE, network, tensors))
  _, aux = clip.visual(images[:, None])
  image = ops.l2_normalize(aux["frame_features"][:, 0])
  text = ops.l2_normalize(clip.encode_text(TEXTS))
  logits = jnp.exp(clip.log_scale) * image @ text.T
  assert conversion_plans.distance(logits, wanted.logits_per_image) < 1e-5


def test_nothing_but_what_is_new_in_videos_keeps_its_value(network, theirs):
  tensors = conversion_plans.tensors_of(theirs)
  positions = {
    f"{tower}_model.embeddings.position_ids": np.arange(6)[None]
    for tower in ("vision", "text")
  }
  done = conversion_plans.planned(SOURCE, network, tensors | positions)
  assert done.problems == ()
  assert done.skipped.keys() == positions.keys()
  parts = {leaf.split("/")[1] for leaf in done.new if "/visual/" not in leaf}
  assert parts == {"integration", "prompt", "prompt_norm", "prompt_projection"}
  slots = {leaf.split("/")[3] for leaf in done.new if "/visual/" in leaf}
  assert slots == {"block_input"}


def test_a_tensor_renamed_is_a_problem(network, theirs):
  tensors = conversion_plans.tensors_of(theirs)
  images = [name for name in tensors if name.startswith("vision_model.")]
  conversion_plans.check_renamed(SOURCE, network, tensors, images)
  texts = tensors.keys() - images  # A text tower may hold what it likes.
  conversion_plans.check_renamed(SOURCE, network, tensors, texts, twice=False)


def test_goes_back_exactly(theirs):
  network = conversion_plans.build("vit_b32", None, **_TOWER, projection=64)
  tensors = conversion_plans.tensors_of(theirs)
  variables = conversion_plans.converted(SOURCE, network, tensors)
  back = revert_rules(SOURCE.rules(network), variables)
  assert back.keys() == {n for n in tensors if n.startswith("vis")}
  for name, value in back.items():
    np.testing.assert_array_equal(value, tensors[name])
