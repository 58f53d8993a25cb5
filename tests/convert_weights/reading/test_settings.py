"""Settings of the network that a checkpoint holds next to the tensors."""

import argparse
import json
import warnings

import numpy as np
import pytest
import safetensors.numpy
import torch

from convert_weights.reading import CheckpointError, read

_TENSORS = {"a.weight": np.zeros((2, 3), np.float32)}


def _torch(folder, **beside):
  path = folder / "epoch_1.pt"
  torch.save({"state_dict": {"a.weight": torch.zeros(2, 3)}, **beside}, path)
  return path


def _pretrained(folder, name="model.safetensors", **files):
  for file, text in files.items():
    text = text if isinstance(text, str) else json.dumps(text)
    (folder / f"{file}.json").write_text(text)
  safetensors.numpy.save_file(_TENSORS, folder / name)
  return folder / name


def _said(path, name="activation"):
  return [one.value for one in read(path).settings.get(name, ())]


_ARGUMENTS = [
  ({"model": "ViT-B-32", "force_quick_gelu": False}, ["gelu"]),
  ({"model": "ViT-B-32", "force_quick_gelu": True}, ["quick_gelu"]),
  ({"model": "ViT-B-32-quickgelu", "force_quick_gelu": False}, ["quick_gelu"]),
  ({"model": "ViT-H-14-quickgelu"}, ["quick_gelu"]),
  ({"model": "ViT-B-32"}, []),
  ({"hidden_act": "gelu"}, ["gelu"]),
  ({"activation": "QuickGELU"}, ["quick_gelu"]),
  ({"head": {"activation": "relu"}}, []),
  ({"network": {"quick_gelu": False}}, ["gelu"]),
  ({"lr": 0.1}, []),
]


@pytest.mark.parametrize("entry", ["hyper_parameters", "args", "config"])
@pytest.mark.parametrize(("arguments", "said"), _ARGUMENTS)
def test_arguments_inside_a_checkpoint(tmp_path, entry, arguments, said):
  assert _said(_torch(tmp_path, **{entry: arguments})) == said
  names = argparse.Namespace(**arguments)
  assert _said(_torch(tmp_path, **{entry: names})) == said


@pytest.mark.parametrize(
  ("model", "said"),
  [("ViT-B-32", ["gelu"]), ("ViT-B-16-quickgelu", ["quick_gelu"])],
)
def test_open_clips_training_names_its_model(tmp_path, model, said):
  name = f"2023_01_02-03_04_05-model_{model}-lr_0.0005-b_64-j_4-p_amp"
  assert _said(_torch(tmp_path, name=name, epoch=1)) == said
  assert _said(_torch(tmp_path, name="mine")) == []


_VISION = {"hidden_act": "gelu", "num_attention_heads": 16}


def test_config_of_transformers(tmp_path):
  config = {
    "model_type": "clip",
    "vision_config": {**_VISION, "layer_norm_eps": 1e-6},
    "text_config": {"hidden_act": "quick_gelu", "num_attention_heads": 8},
  }
  path = _pretrained(tmp_path, config=config)
  settings = read(path).settings
  assert {name: one.value for name, (one,) in settings.items()} == {
    "activation": "gelu",
    "epsilon": 1e-6,
    "num_heads": 16,
    "text_activation": "quick_gelu",
    "text_heads": 8,
  }
  where = settings["activation"][0].where
  assert where == "config.json (vision_config.hidden_act)"


@pytest.mark.parametrize(
  ("kind", "activation", "epsilon"),
  [
    ("clip_vision_model", "quick_gelu", 1e-5),
    ("vit", "gelu", 1e-12),
    ("vit_mae", "gelu", 1e-12),
    ("vit_msn", "gelu", 1e-6),
  ],
)
def test_what_a_config_leaves_out_is_the_default(tmp_path, kind, activation, epsilon):
  path = _pretrained(tmp_path, config={"model_type": kind})
  assert _said(path) == [activation]
  assert _said(path, "epsilon") == [epsilon]
  assert _said(path, "num_heads") == []


@pytest.mark.parametrize(
  ("kind", "given", "activation"),
  [
    ("dinov2", {}, "gelu"),
    ("dinov2_with_registers", {"hidden_act": "relu"}, "relu"),
    ("dinov3_vit", {}, "gelu"),
    ("vjepa2", {}, "gelu"),
    ("siglip_vision_model", {}, "gelu_tanh"),
    ("siglip2", {"vision_config": {"hidden_act": "gelu"}}, "gelu"),
  ],
)
def test_config_of_towers(tmp_path, kind, given, activation):
  path = _pretrained(tmp_path, config={"model_type": kind, **given})
  assert _said(path) == [activation]


def test_the_activation_of_a_gate_is_no_setting(tmp_path):
  config = {"model_type": "dinov3_vit", "use_gated_mlp": True, "hidden_act": "silu"}
  assert _said(_pretrained(tmp_path, config=config)) == []
  path = _pretrained(tmp_path, config={**config, "hidden_act": "gelu"})
  with pytest.raises(CheckpointError, match=r"hidden_act 'gelu'; .* have 'silu'"):
    read(path)


@pytest.mark.parametrize(
  ("kind", "key", "value"),
  [
    ("resnet", "downsample_in_bottleneck", True),
    ("resnet", "hidden_act", "gelu"),
    ("convnext", "layer_norm_eps", 0.1),
    ("dinov3_vit", "rope_theta", 10.0),
    ("vjepa2", "tubelet_size", 4),
    ("vjepa2", "qkv_bias", False),
    ("vjepa2", "num_pooler_layers", 1),
  ],
)
def test_values_that_no_network_has_are_refused(tmp_path, kind, key, value):
  path = _pretrained(tmp_path, config={"model_type": kind, key: value})
  with pytest.raises(CheckpointError, match=f"config.json has {key} {value!r}"):
    read(path)


@pytest.mark.parametrize(
  "name",
  ["open_clip_model.safetensors", "model.fp16.safetensors"],
)
def test_config_of_open_clip(tmp_path, name):
  config = {
    "model_cfg": {
      "quick_gelu": True,
      "vision_cfg": {"width": 1280, "head_width": 80, "pool_type": "avg"},
    },
    "preprocess_cfg": {"mean": [0.5] * 3, "std": [0.25] * 3},
  }
  path = _pretrained(tmp_path, name, open_clip_config=config)
  settings = read(path).settings
  assert {name: one.value for name, (one,) in settings.items()} == {
    "activation": "quick_gelu",
    "num_heads": 16,
    "pooling": "average",
    "pixels": ((0.5,) * 3, (0.25,) * 3),
  }
  config = {"model_cfg": {"vision_cfg": {"act_kwargs": {"a": "tanh"}}}}
  path = _pretrained(tmp_path, name, open_clip_config=config)
  assert _said(path) == ["gelu with {'a': 'tanh'}"]


@pytest.mark.parametrize("file", ["preprocessor_config", "video_preprocessor_config"])
def test_pixels_of_a_preprocessor_and_of_timm(tmp_path, file):
  pixels = {"mean": [0.1, 0.2, 0.3], "std": [1, 1, 1]}
  path = _pretrained(tmp_path, config={"pretrained_cfg": pixels})
  assert _said(path, "pixels") == [((0.1, 0.2, 0.3), (1, 1, 1))]
  (tmp_path / "config.json").unlink()
  given = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}
  path = _pretrained(tmp_path, **{file: given})
  assert _said(path, "pixels") == [((0.5,) * 3, (0.5,) * 3)]


def test_a_config_beside_another_file_is_not_its_own(tmp_path):
  config = {"model_type": "clip", "vision_config": _VISION}
  path = _pretrained(tmp_path, "ViT-B-32.safetensors", config=config)
  assert not read(path).settings


def test_a_broken_config_is_named(tmp_path):
  for text in ("{", "[1]", ""):
    path = _pretrained(tmp_path, config=text)
    with pytest.raises(CheckpointError, match="must hold a JSON object"):
      read(path)


@pytest.mark.parametrize(
  ("file", "text", "message"),
  [
    (
      "config",
      {"model_type": "vit", "hidden_act": 3},
      "hidden_act. must be str",
    ),
    (
      "config",
      {"model_type": "vit", "num_attention_heads": "12"},
      "num_attention_heads. must be int",
    ),
    ("preprocessor_config", {"image_mean": 0.5, "image_std": 0.5}, "three col"),
    (
      "preprocessor_config",
      {"image_mean": [0.5] * 3, "image_std": [0, 1, 1]},
      "image_std. must be positive",
    ),
    *(
      ("config", {"model_type": "vit", key: value}, f"{key}. must be positive")
      for key, value in (
        ("num_attention_heads", 0),
        ("num_attention_heads", -3),
        ("hidden_size", -1),
        ("num_hidden_layers", 0),
        ("layer_norm_eps", -1e-6),
        ("layer_norm_eps", 1e999),
      )
    ),
    (
      "config",
      {"model_type": "xclip", "text_config": {"num_attention_heads": -1}},
      "text_config.num_attention_heads. must be positive",
    ),
    *(
      ("open_clip_config", {"vision_cfg": given}, "must be positive")
      for given in (
        {"width": 64, "head_width": 128},
        {"width": -64},
        {"width": 64, "head_width": 0},
        {"width": 64, "layers": 0},
      )
    ),
  ],
)
def test_a_value_of_another_type_is_named(tmp_path, file, text, message):
  path = _pretrained(tmp_path, **{file: text})
  with pytest.raises(CheckpointError, match=message):
    read(path)


class _Exact(torch.nn.Module):
  def forward(self, x):
    return torch.nn.functional.gelu(x)


class _Quick(torch.nn.Module):
  def forward(self, x):
    return x * torch.sigmoid(1.702 * x)


class _Both(torch.nn.Module):
  def forward(self, x):
    return torch.sigmoid(torch.nn.functional.gelu(x))


@pytest.mark.parametrize(
  ("module", "said"),
  [(_Exact, ["gelu"]), (_Quick, ["quick_gelu"]), (_Both, [])],
)
def test_the_code_of_an_archive_shows_the_activation(tmp_path, module, said):
  network = module()
  network.weight = torch.nn.Parameter(torch.zeros(2))
  path = tmp_path / "archive.pt"
  with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    torch.jit.save(torch.jit.trace(network, torch.zeros(2)), path)
  assert _said(path) == said


_CFG = """\
DATA:
  NUM_FRAMES: 16
XVIT:
  LOCATIONS_LIST: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]
  NUM_SEGMENTS: {}
  SHIFT_DIV: {}
"""


@pytest.mark.parametrize(
  ("segments", "division", "operator"),
  [
    (8, 8, "mixing_eight"),
    (16, 4, "mixing_quarter"),
    (16, 8, "mixing"),
    (4, 2, "SHIFT_DIV 2, NUM_SEGMENTS 4"),
  ],
)
def test_xvits_configuration_inside_its_checkpoint(
  tmp_path, segments, division, operator
):
  text = _CFG.format(segments, division)
  assert _said(_torch(tmp_path, cfg=text), "temporal") == [operator]
  tree = {"XVIT": {"NUM_SEGMENTS": segments, "SHIFT_DIV": division}}
  assert _said(_torch(tmp_path, cfg=tree), "temporal") == [operator]


@pytest.mark.parametrize(
  ("given", "said"),
  [
    ({"LOCATIONS_LIST": [9, 10, 11]}, "LOCATIONS_LIST [9, 10, 11]"),
    ({"USE_XVIT": False}, "USE_XVIT False"),
  ],
)
def test_xvit_with_fewer_mixing_blocks_is_no_published_form(tmp_path, given, said):
  xvit = {"NUM_SEGMENTS": 8, "SHIFT_DIV": 8, **given}
  assert _said(_torch(tmp_path, cfg={"XVIT": xvit}), "temporal") == [said]
  lists = ("[9, 10, 11]", "\n  - 9\n  - 10\n  - 11")
  for listed in lists:
    lines = {name: listed if "LIST" in name else v for name, v in xvit.items()}
    text = "".join(f"  {name}: {value}\n" for name, value in lines.items())
    path = _torch(tmp_path, cfg="XVIT:\n" + text.replace(": \n", ":\n"))
    assert _said(path, "temporal") == [said]
