"""CLIPModel of transformers: its random weights in, its outputs out."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
import transformers

import convert_weights
from convert_weights.apply import apply_plan, revert_rules
from convert_weights.formats import huggingface_clip
from convert_weights.plan import plan_conversion
from temporal_jax import ops
from tests.support import conversion_plans

SOURCE, VISION = huggingface_clip.FORMATS
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


@pytest.fixture(scope="module")
def vision_model():
  model = transformers.CLIPVisionModel(_config().vision_config)
  return conversion_plans.shake(model)


def _features_of(tensors, images, **kwargs):
  """Features of a tower whose tensors show that it has no projection."""
  plan = plan_conversion("vit_b32", tensors, **_TOWER, **kwargs)
  assert plan.overrides["projection"] is None
  assert any("have no projection" in note for note in plan.notes)
  features, _ = jax.jit(plan.network.apply)(apply_plan(plan, tensors), images[:, None])
  return features


def test_a_vision_model_by_itself_has_no_projection(vision_model, images, tmp_path):
  with torch.no_grad():
    want = vision_model(torch.tensor(images).permute(0, 3, 1, 2)).pooler_output
  in_memory = conversion_plans.tensors_of(vision_model)
  assert not any(name.startswith("vision_model.") for name in in_memory)
  assert conversion_plans.distance(_features_of(in_memory, images), want) < 1e-5
  vision_model.save_pretrained(tmp_path)
  file = convert_weights.read(tmp_path)
  got = _features_of(file.tensors, images, settings=file.settings)
  assert conversion_plans.distance(got, want) < 1e-5
  older = {f"vision_model.{name}": value for name, value in in_memory.items()}
  assert conversion_plans.distance(_features_of(older, images), want) < 1e-5
  larger = {f"model.vision_tower.{name}": value for name, value in older.items()}
  assert conversion_plans.distance(_features_of(larger, images), want) < 1e-5


def test_a_vision_model_goes_back_exactly(vision_model):
  network = conversion_plans.build("vit_b32", None, **_TOWER, projection=None)
  tensors = conversion_plans.tensors_of(vision_model)
  conversion_plans.check_renamed(VISION, network, tensors, tensors)
  variables = conversion_plans.converted(VISION, network, tensors)
  back = revert_rules(VISION.rules(network), variables)
  assert back.keys() == tensors.keys()
  for name, value in back.items():
    np.testing.assert_array_equal(value, tensors[name])


def test_a_tower_of_another_size_is_read_with_its_arguments(images, tmp_path):
  """Heads of 16 channels, exact GELU and MLPs as wide as bigG's, by ratio."""
  config = transformers.CLIPVisionConfig(
    **{"hidden_size": 48, "intermediate_size": 236, "num_hidden_layers": 1},
    **{"num_attention_heads": 3, "hidden_act": "gelu", "projection_dim": 24},
    **{"image_size": 16, "patch_size": 4},
  )
  model = transformers.CLIPVisionModelWithProjection(config)
  conversion_plans.shake(model).save_pretrained(tmp_path)
  with torch.no_grad():
    want = model(torch.tensor(images).permute(0, 3, 1, 2)).image_embeds
  file = convert_weights.read(tmp_path)
  sizes = {"width": 48, "depth": 1, "mlp_ratio": 4.9231, "projection": 24}
  plan = plan_conversion(
    "vit_b16",
    file.tensors,
    settings=file.settings,
    **{**sizes, "patch_size": 4, "grid": 4},
  )
  features, _ = jax.jit(plan.network.apply)(
    apply_plan(plan, file.tensors), images[:, None]
  )
  assert conversion_plans.distance(features, want) < 1e-5


def test_a_classifier_of_the_average_is_refused():
  config = _config()
  config.num_labels = 5
  tensors = conversion_plans.tensors_of(transformers.CLIPForImageClassification(config))
  with pytest.raises(ValueError, match="classifies the average of the patches"):
    plan_conversion("vit_b32", tensors, **_TOWER, num_classes=5)


def test_text_tower_gives_its_features(network, variables, wanted):
  features = network.apply(variables, TEXTS, method="encode_text")
  scaled = ops.l2_normalize(features)
  assert conversion_plans.distance(scaled, wanted.text_embeds) < 1e-5
  unscaled = wanted.text_model_output.pooler_output
  assert conversion_plans.distance(features, unscaled) < 1e-5


def test_both_towers_give_its_logits(theirs, images, wanted):
  """Frames are single, and the network's videos begin as CLIP's images."""
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


@pytest.mark.slow
@pytest.mark.parametrize("row", ["vit_b32", "vit_l14_336", "vit_h14", "vit_bigg14"])
def test_two_blocks_of_the_published_widths_give_its_features(row):
  ours = conversion_plans.build(row, None, depth=2)
  config = transformers.CLIPVisionConfig(
    hidden_size=ours.width,
    intermediate_size=int((ours.mlp_ratio or 4) * ours.width),
    num_hidden_layers=2,
    num_attention_heads=ours.num_heads,
    hidden_act=ours.activation,
    projection_dim=ours.projection,
    patch_size=ours.patch_size,
    image_size=ours.patch_size * ours.grid,
  )
  model = transformers.CLIPVisionModelWithProjection(config)
  tensors = conversion_plans.tensors_of(conversion_plans.shake(model, spread=0.01))
  variables = conversion_plans.converted(SOURCE, ours, tensors)
  side = config.image_size
  images = np.random.default_rng(0).standard_normal((1, side, side, 3), np.float32)
  features, _ = jax.jit(ours.apply)(variables, images[:, None])
  with torch.no_grad():
    want = model(torch.tensor(images).permute(0, 3, 1, 2)).image_embeds
  assert conversion_plans.distance(features, want) < 1e-5
