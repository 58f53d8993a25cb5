"""DINOv2, DINOv3 and SigLIP: their random weights in, their outputs out."""

import jax
import numpy as np
import pytest
import safetensors.numpy
import torch
import transformers

import convert_weights
from convert_weights.apply import revert_rules
from convert_weights.registry import SOURCES, recognise
from temporal_jax import models
from tests.support import conversion_plans, foundation_towers
from tests.support.tiny_dino import DinoTower

_TOWER = {"width": 32, "depth": 2, "num_heads": 2, "patch_size": 4}
_GRID = {**_TOWER, "grid": 4}
_SIZES = foundation_towers.SMALL


@pytest.fixture(scope="module")
def images():
  return np.random.default_rng(0).standard_normal((3, 16, 16, 3), np.float32)


def _output(module, images):
  with torch.no_grad():
    return module(torch.tensor(images).permute(0, 3, 1, 2))


def _ours(source, row, tensors, images, **kwargs):
  """Features, and what comes with them, of a row with converted weights."""
  network = conversion_plans.build(row, None, **kwargs)
  variables = conversion_plans.converted(SOURCES[source], network, tensors)
  features, aux = jax.jit(network.apply)(variables, images[:, None])
  return network, variables, features, aux


def _check_back(source, network, variables, tensors, lost):
  """The tensors come back, except those whose names begin as `lost`."""
  back = revert_rules(SOURCES[source].rules(network), variables)
  kept = {name for name in tensors if not name.startswith(lost)}
  assert back.keys() == kept
  for name in kept:
    np.testing.assert_array_equal(back[name], tensors[name], err_msg=name)


# Row, and arguments of the tower of transformers.
_DINO = [
  ("dinov2_b14", {}),
  ("dinov2_b14_registers", {"registers": 4}),
  ("dinov2_g14", {"gated": True}),
  ("dinov3_b16", {}),
  ("dinov3_s16plus", {"gated": True}),
]


@pytest.fixture(scope="module", params=_DINO, ids=[row for row, _ in _DINO])
def dino(request):
  """A row, the source of its weights, and the tower of transformers."""
  row, kwargs = request.param
  make = getattr(foundation_towers, row[:6])
  # A gated MLP has two thirds of the hidden units.
  sizes = (*_SIZES[:3], 192) if row == "dinov2_g14" else _SIZES
  tower = make(sizes, image_size=16, patch_size=4, **kwargs)
  return row, f"huggingface_{row[:6]}", conversion_plans.shake(tower)


def _sizes(row):
  """Arguments that make a row as small as its tower of transformers."""
  if row == "dinov2_g14":
    return {**_GRID, "mlp_ratio": 128 / 32}
  return _GRID


def _with(block, **kwargs):
  return type(block)(block.func, *block.args, **{**block.keywords, **kwargs})


def test_dino_gives_the_tokens_of_transformers(dino, images):
  row, source, tower = dino
  tensors = conversion_plans.tensors_of(tower)
  assert [one.name for one in recognise(tensors)] == [source]
  _, _, features, aux = _ours(source, row, tensors, images, **_sizes(row))
  want = _output(tower, images)
  assert conversion_plans.distance(features, want.pooler_output) < 1e-5
  network = conversion_plans.build(row, None, **_sizes(row))
  last = want.last_hidden_state
  patches = last[:, 1 + network.num_registers :]
  norm = tower.layernorm if hasattr(tower, "layernorm") else tower.norm
  tokens = torch.tensor(np.asarray(aux["tokens"][:, 0, 1:]))
  with torch.no_grad():
    assert conversion_plans.distance(norm(tokens).numpy(), patches) < 1e-5


def test_dino_goes_back(dino, tmp_path, images):
  """Into the names of published files, which transformers loads."""
  row, source, tower = dino
  tower.save_pretrained(tmp_path)
  file = safetensors.numpy.load_file(tmp_path / "model.safetensors")
  network, variables, features, _ = _ours(source, row, file, images, **_sizes(row))
  _check_back(source, network, variables, file, "embeddings.mask_token")
  want = _output(tower, images).pooler_output
  assert conversion_plans.distance(features, want) < 1e-5
  published = "layer.0." if "dinov3" in row else "encoder.layer.0.attention.attention."
  assert any(name.startswith(published) for name in file)


@pytest.mark.parametrize("registers", [0, 4])
def test_classifiers_of_dinov2_read_token_and_mean(registers, images):
  kind = "Dinov2WithRegisters" if registers else "Dinov2"
  config = getattr(transformers, f"{kind}Config")(
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=2,
    image_size=16,
    patch_size=4,
    num_labels=5,
  )
  module = getattr(transformers, f"{kind}ForImageClassification")(config)
  conversion_plans.shake(module)
  tensors = conversion_plans.tensors_of(module)
  row = "dinov2_b14_registers" if registers else "dinov2_b14"
  source = SOURCES["huggingface_dinov2_classifier"]
  assert recognise(tensors) == [source]
  network = conversion_plans.build(row, 5, pooling="class_and_mean", **_GRID)
  variables = conversion_plans.converted(source, network, tensors)
  logits, _ = jax.jit(network.apply)(variables, images[:, None])
  want = _output(module, images).logits
  assert conversion_plans.distance(logits, want) < 1e-5
  features = conversion_plans.build(row, None, **_GRID)
  done = conversion_plans.planned(source, features, tensors)
  assert not done.problems
  assert "pooling=class_and_mean" in done.skipped["classifier.weight"]


@pytest.mark.parametrize(  # All DINOv3 have registers.
  ("kind", "registers"), [("dinov2", 0), ("dinov2", 4), ("dinov3", 4)]
)
@pytest.mark.parametrize("gated", [False, True])
def test_the_authors_names(kind, registers, gated, images):
  theirs = DinoTower(kind, gated=gated, registers=registers)
  conversion_plans.shake(theirs)
  tensors = conversion_plans.tensors_of(theirs)
  assert [one.name for one in recognise(tensors)] == [kind]
  row = f"{kind}_b1{4 if kind == 'dinov2' else 6}"
  block = _with(models.MODELS[row].kwargs["block"], gated=gated)
  kwargs = {**_GRID, "block": block, "num_registers": registers}
  network, variables, features, _ = _ours(kind, row, tensors, images, **kwargs)
  token, _ = _output(theirs, images)
  assert conversion_plans.distance(features, token) < 1e-5
  back = revert_rules(SOURCES[kind].rules(network), variables)
  lost = tensors.keys() - back.keys()
  kinds = {name.split(".")[-1] for name in lost}
  masked = {"bias_mask", "periods"} if kind == "dinov3" else set()
  assert kinds == {"mask_token"} | masked
  for name, value in back.items():
    want = tensors[name]
    if name.endswith("qkv.bias") and kind == "dinov3":
      want = want * tensors[f"{name}_mask"]
    np.testing.assert_array_equal(value, want, err_msg=name)


@pytest.fixture(scope="module")
def siglip():
  tower = foundation_towers.siglip(_SIZES, image_size=16, patch_size=4)
  return conversion_plans.shake(tower)


def test_siglip_gives_its_pooled_answer(siglip, images):
  tensors = conversion_plans.tensors_of(siglip)
  source = "huggingface_siglip"
  network, variables, features, aux = _ours(
    source, "siglip2_b16", tensors, images, **_GRID
  )
  want = _output(siglip, images)
  assert conversion_plans.distance(features, want.pooler_output) < 1e-5
  assert "class_tokens" not in aux
  back = revert_rules(SOURCES[source].rules(network), variables)
  for name, value in back.items():  # As published, within the larger model.
    bare = name.removeprefix("vision_model.")
    np.testing.assert_array_equal(value, tensors[bare], err_msg=name)
  assert len(back) == len(tensors)


def test_siglip_with_its_text_tower(siglip, images):
  config = transformers.SiglipConfig(
    vision_config=siglip.config.to_dict(),
    text_config={
      "hidden_size": 32,
      "intermediate_size": 64,
      "num_hidden_layers": 1,
      "num_attention_heads": 2,
      "vocab_size": 40,
    },
  )
  whole = conversion_plans.shake(transformers.SiglipModel(config))
  tensors = conversion_plans.tensors_of(whole)
  _, _, features, _ = _ours(
    "huggingface_siglip", "siglip2_b16", tensors, images, **_GRID
  )
  want = _output(whole.vision_model, images).pooler_output
  assert conversion_plans.distance(features, want) < 1e-5


def test_siglip2_of_free_sizes(images):
  config = transformers.Siglip2VisionConfig(
    hidden_size=32,
    intermediate_size=128,
    num_hidden_layers=2,
    num_attention_heads=2,
    num_patches=16,
    patch_size=4,
  )
  module = conversion_plans.shake(transformers.Siglip2VisionModel(config))
  tensors = conversion_plans.tensors_of(module)
  source = "huggingface_siglip2_naflex"
  _, _, features, _ = _ours(source, "siglip2_b16", tensors, images, **_GRID)
  # Rows of patches, each (rows, columns, colours) one after the other.
  rows = images.reshape(3, 4, 4, 4, 4, 3).swapaxes(2, 3).reshape(3, 16, 48)
  with torch.no_grad():
    want = module(
      torch.tensor(rows),
      torch.ones(3, 16, dtype=torch.long),
      torch.tensor([[4, 4]] * 3),
    ).pooler_output
  assert conversion_plans.distance(features, want) < 1e-5
  plan = convert_weights.plan.plan_conversion("siglip2_b16", tensors, **_GRID)
  assert plan.source.name == source


@pytest.mark.parametrize(
  ("row", "message"),
  [
    ("vit_b16_in21k", "does not take the weights of facebookresearch/dinov2"),
    ("dinov3_b16", "does not take the weights of facebookresearch/dinov2"),
    ("dinov2_b14_registers", "registers"),
  ],
)
def test_other_networks_are_refused(row, message):
  tensors = conversion_plans.tensors_of(DinoTower("dinov2", registers=0))
  with pytest.raises(ValueError, match=message):
    convert_weights.convert(row, tensors, **_GRID)


def test_positions_of_another_grid_are_resized(images):
  tensors = conversion_plans.tensors_of(DinoTower("dinov2", registers=0, grid=7))
  got = convert_weights.convert("dinov2_b14", tensors, **_GRID)
  assert got["params"]["position_embedding"].shape == (17, 32)
  tensors = conversion_plans.tensors_of(DinoTower("dinov2", registers=4, grid=7))
  tensors["pos_embed"] = np.random.default_rng(0).random((1, 50, 32), np.float32)
  with torch.no_grad():
    maps = torch.tensor(tensors["pos_embed"][:, 1:]).reshape(1, 7, 7, 32)
    want = torch.nn.functional.interpolate(
      maps.permute(0, 3, 1, 2), size=(4, 4), mode="bicubic", antialias=True
    ).permute(0, 2, 3, 1)
  got = convert_weights.convert("dinov2_b14_registers", tensors, **_GRID)
  places = got["params"]["position_embedding"][1:]
  np.testing.assert_allclose(places, want.reshape(16, 32), rtol=1e-4, atol=1e-5)


# Row, side of the images; those of 224 and 256 pixels are the catalog's.
REAL = [
  *((f"dinov2_{size}14", 224) for size in "sbl"),
  ("dinov2_s14", 518),
  ("dinov2_b14_registers", 224),
  *((f"dinov3_{size}", 224) for size in ("s16", "s16plus", "b16", "l16")),
  ("siglip2_b16", 224),
  ("siglip2_b32", 256),
  ("siglip2_so400m14", 224),
]


@pytest.mark.slow  # Real sizes.
@pytest.mark.parametrize(("row", "side"), REAL)
def test_real_sizes_equal_transformers(row, side):
  tower = foundation_towers.build(row, side).eval()
  torch.manual_seed(0)
  tensors = conversion_plans.tensors_of(tower)
  variables = convert_weights.convert(row, tensors, image_size=side)
  network = conversion_plans.build(row, None, image_size=side)
  images = np.random.default_rng(0).standard_normal((1, side, side, 3), np.float32)
  features, _ = jax.jit(network.apply)(variables, images[:, None])
  want = _output(tower, images).pooler_output
  assert conversion_plans.distance(features, want) < 1e-5
