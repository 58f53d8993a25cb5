"""V-JEPA 2 in torch: its random weights in, its outputs out, and back."""

import re

import jax
import numpy as np
import pytest
import torch
import transformers

import convert_weights
from convert_weights.formats import vjepa2
from convert_weights.registry import SOURCES
from tests.support import conversion_plans, torch_video_transformers as theirs

FORMATS = {source.name: source for source in vjepa2.FORMATS}
CLIPS = theirs.draw_clips()
# The pooling's MLPs are four times as wide whatever the encoder's are, and the
# last channels of a head of 16 are not turned.
SIZES = {**theirs.SIZES, "mlp_ratio": 2.5}


def _build(num_classes=5, **kwargs):
  return conversion_plans.build("vjepa2_l16", num_classes, **{**SIZES, **kwargs})


def _config(**sizes):
  return transformers.VJEPA2Config(
    **{
      "hidden_size": theirs.WIDTH,
      "num_hidden_layers": theirs.DEPTH,
      "num_attention_heads": theirs.HEADS,
      "mlp_ratio": 2.5,
      "crop_size": theirs.SIDE,
      "patch_size": theirs.PATCH,
      "frames_per_clip": theirs.FRAMES,
      "pred_hidden_size": 8,
      "pred_num_attention_heads": 1,
      "pred_num_hidden_layers": 1,
      "num_labels": 5,
      **sizes,
    }
  )


def _make(kind, **sizes):
  return conversion_plans.shake(kind(_config(**sizes)))


def _encode(module, clips):
  """The normed tokens of a `VJEPA2Model`, (B, T N, D)."""
  with torch.no_grad():
    pixels = torch.tensor(clips).permute(0, 1, 4, 2, 3)
    return module(pixels, skip_predictor=True).last_hidden_state


def _read(folder, **kwargs):
  checkpoint = convert_weights.read(folder)
  return convert_weights.plan.plan_conversion(
    "vjepa2_l16",
    checkpoint.tensors,
    settings=checkpoint.settings,
    **{**SIZES, **kwargs},
  )


def _without_predictor(tensors):
  return {name: value for name, value in tensors.items() if "predictor." not in name}


def test_transformers_classifier(tmp_path):
  module = _make(transformers.VJEPA2ForVideoClassification, layer_norm_eps=1e-3)
  tensors = conversion_plans.tensors_of(module)
  source, network = FORMATS["huggingface_vjepa2"], _build(epsilon=1e-3)
  variables = conversion_plans.converted(source, network, tensors)
  logits, _ = conversion_plans.apply(network, variables, CLIPS)
  assert conversion_plans.distance(logits, theirs.call(module, CLIPS).logits) < 1e-5
  own = _without_predictor(tensors)
  conversion_plans.check_back(source, network, variables, own)
  conversion_plans.check_renamed(source, network, tensors, own)
  module.save_pretrained(tmp_path)
  plan = _read(tmp_path)
  assert plan.source is source
  assert plan.network == network  # config.json states the epsilon.
  skipped = {name for name in tensors if ".predictor." in name}
  assert plan.mapping.skipped.keys() == skipped
  assert "predictor of pre-training" in plan.mapping.skipped[min(skipped)]


def test_transformers_encoder_gives_its_normed_tokens(tmp_path):
  module = _make(transformers.VJEPA2Model)
  module.save_pretrained(tmp_path)
  plan = _read(tmp_path)
  tensors = conversion_plans.tensors_of(module)
  source, network = FORMATS["huggingface_vjepa2_model"], plan.network
  variables = conversion_plans.converted(source, network, tensors)
  features, _ = conversion_plans.apply(network, variables, CLIPS)
  want = _encode(module, CLIPS).mean(1)
  assert conversion_plans.distance(features, want) < 1e-5
  own = _without_predictor(tensors)
  conversion_plans.check_back(source, network, variables, own)


def test_a_probe_begins_with_the_encoder(tmp_path):
  _make(transformers.VJEPA2Model).save_pretrained(tmp_path)
  plan = _read(tmp_path, num_classes=7)
  assert {leaf.split("/")[1] for leaf in plan.mapping.new} == {"pooling", "head"}
  assert not plan.mapping.problems


def _authors_names(tensors):
  """The names of the authors' encoder, of those of a `VJEPA2Model`."""
  named = {}
  for name, value in tensors.items():
    name = name.removeprefix("encoder.")
    name = re.sub("^layer\\.", "blocks.", name.replace("layernorm", "norm"))
    name = name.replace("embeddings.patch_embeddings", "patch_embed")
    name = name.replace(".attention.", ".attn.")
    if found := re.fullmatch(r"(.+\.)(query|key|value)(\..+)", name):
      named.setdefault(f"{found[1]}qkv{found[3]}", []).append(value)
    else:
      named[name] = value
  # torch keeps the order of the module's parts: queries, keys, values.
  return {
    name: np.concatenate(value) if isinstance(value, list) else value
    for name, value in named.items()
  }


def _release(tensors, patches=9 * theirs.FRAMES // 2):
  """A checkpoint of the authors, its encoder at zero."""
  encoder = {
    **{f"module.backbone.{name}": torch.tensor(t) for name, t in tensors.items()},
    "module.backbone.pos_embed": torch.zeros(1, patches, theirs.WIDTH),
  }
  predictor = {
    "module.backbone.predictor_embed.weight": torch.zeros(8, theirs.WIDTH),
    "module.backbone.predictor_blocks.0.attn.qkv.weight": torch.zeros(24, 8),
  }
  return {
    "encoder": {name: torch.zeros_like(value) for name, value in encoder.items()},
    "predictor": predictor,
    "target_encoder": encoder,
    "opt": {"state": {0: {"exp_avg": torch.zeros(3)}}},
    "epoch": 3,
    "lr": 0.1,
  }


def test_authors_release(tmp_path):
  module = _make(transformers.VJEPA2Model)
  tensors = _authors_names(_without_predictor(conversion_plans.tensors_of(module)))
  torch.save(_release(tensors), tmp_path / "vitl.pt")
  with pytest.raises(ValueError, match="choose one with entry"):
    convert_weights.read(tmp_path / "vitl.pt")
  checkpoint = convert_weights.read(tmp_path / "vitl.pt", entry="target_encoder")
  plan = convert_weights.plan.plan_conversion("vjepa2_l16", checkpoint.tensors, **SIZES)
  source, network = FORMATS["vjepa2"], plan.network
  assert plan.source is source
  assert list(plan.mapping.skipped) == ["backbone.pos_embed"]
  variables = convert_weights.convert("vjepa2_l16", checkpoint.tensors, **SIZES)
  features, _ = conversion_plans.apply(network, variables, CLIPS)
  want = _encode(module, CLIPS).mean(1)
  assert conversion_plans.distance(features, want) < 1e-5
  conversion_plans.check_back(source, network, variables, tensors)
  conversion_plans.check_renamed(source, network, tensors, tensors)


@pytest.mark.parametrize("patches", [8 * 14 * 14, 8 * 24 * 24])
def test_the_first_v_jepa_is_refused(patches):
  module = transformers.VJEPA2Model(_config())
  tensors = _authors_names(_without_predictor(conversion_plans.tensors_of(module)))
  tensors["pos_embed"] = np.zeros((1, patches, theirs.WIDTH), np.float32)
  with pytest.raises(ValueError, match=f"{patches} patches, as V-JEPA has"):
    convert_weights.convert("vjepa2_l16", tensors, **SIZES)


def test_positions_follow_the_clip_as_the_authors_code_does():
  """Where transformers counts places in rows of its config's length."""
  module = _make(transformers.VJEPA2Model)
  tensors = conversion_plans.tensors_of(module)
  network = _build(None)
  source = FORMATS["huggingface_vjepa2_model"]
  variables = conversion_plans.converted(source, network, tensors)
  side = theirs.SIDE + theirs.PATCH
  clips = np.random.default_rng(1).standard_normal((1, 6, side, side, 3), np.float32)
  features, _ = conversion_plans.apply(network, variables, clips)
  other = transformers.VJEPA2Model(_config(crop_size=side)).eval()
  other.load_state_dict(module.state_dict())
  want = _encode(other, clips).mean(1)
  assert conversion_plans.distance(features, want) < 1e-5
  assert conversion_plans.distance(features, _encode(module, clips).mean(1)) > 1e-3


def _published(row, frames, classes=None):
  """Sizes of a row as transformers has them."""
  network = conversion_plans.build(row, classes)
  return {
    "hidden_size": network.width,
    "num_hidden_layers": network.depth,
    "num_attention_heads": network.num_heads,
    "mlp_ratio": network.mlp_ratio or 4.0,
    "crop_size": network.grid * network.patch_size,
    "patch_size": network.patch_size,
    "frames_per_clip": frames,
    "num_labels": classes or 2,
  }


@pytest.mark.slow
def test_published_size_equals_transformers():
  sizes = _published("vjepa2_l16_16f", 16, 174)
  module = transformers.VJEPA2ForVideoClassification(_config(**sizes))
  conversion_plans.shake(module, 0.02)  # As wide as they are.
  network = conversion_plans.build("vjepa2_l16_16f", 174)
  variables = conversion_plans.converted(
    FORMATS["huggingface_vjepa2"], network, conversion_plans.tensors_of(module)
  )
  clip = np.random.default_rng(0).standard_normal((1, 16, 256, 256, 3), np.float32)
  logits, _ = conversion_plans.apply(network, variables, clip)
  assert conversion_plans.distance(logits, theirs.call(module, clip).logits) < 1e-5


@pytest.mark.parametrize(
  "row", ["vjepa2_l16", "vjepa2_h16", "vjepa2_g16", "vjepa2_g16_384"]
)
def test_rows_have_the_shapes_of_transformers(row):
  sizes = _published(row, 64, 174)
  with torch.device("meta"):
    module = transformers.VJEPA2ForVideoClassification(_config(**sizes))
  tensors = {
    name: jax.ShapeDtypeStruct(tuple(value.shape), np.float32)
    for name, value in module.state_dict().items()
  }
  network = conversion_plans.build(row, 174)
  planned = conversion_plans.planned(FORMATS["huggingface_vjepa2"], network, tensors)
  assert planned.problems == ()


def test_rows_take_no_weights_of_others():
  network = conversion_plans.build("vjepa2_l16")
  assert {name for name, one in SOURCES.items() if one.takes(network)} == set(FORMATS)


def test_takes_no_network_of_another_form():
  for row in ("vit_b16", "videomae_b16", "dinov3_b16", "siglip2_b16", "eva_b16"):
    for source in FORMATS.values():
      assert not source.takes(conversion_plans.build(row))
