"""Families that are not supported are refused in one sentence."""

import json
import pathlib
import re
import types

import numpy as np
import pytest
import safetensors.numpy
import transformers

import convert_weights
from convert_weights.__main__ import main
from convert_weights.planning import families
from tests.support import published_checkpoints

# Names and numbers of axes of tensors, by the program that writes them.
_FOREIGN = json.loads(
  pathlib.Path(__file__).with_name("foreign_names.json").read_text()
)


def _tensors(axes):
  return {name: np.zeros((1,) * count, np.float32) for name, count in axes.items()}


@pytest.mark.parametrize("program", _FOREIGN)
@pytest.mark.parametrize("prefix", ["", "model."])
def test_a_family_is_refused_by_name(program, prefix):
  entry = _FOREIGN[program]
  tensors = _tensors(entry["axes"])
  tensors = {f"{prefix}{name}": tensor for name, tensor in tensors.items()}
  with pytest.raises(ValueError, match="these are weights of") as caught:
    convert_weights.convert("vit_b16_in21k", tensors)
  message = str(caught.value)
  assert re.search(entry["family"], message.split(";")[0])
  assert "\n" not in message
  assert message.count(". ") == 0  # One sentence.
  assert "supported" in message or "merge it" in message


def test_the_command_says_it_in_one_line(tmp_path, capsys):
  tensors = _tensors(_FOREIGN["torchvision: swin3d_t"]["axes"])
  path = tmp_path / "video_swin.safetensors"
  safetensors.numpy.save_file(tensors, path)
  for command in (
    ["inspect", str(path)],
    ["tsm_vit_b16", str(path), str(tmp_path / "out")],
  ):
    with pytest.raises(SystemExit) as stop:
      main(command)
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith(f"convert_weights: {path}: these are weights of V")
    assert error.count("\n") == 1
  assert list(tmp_path.iterdir()) == [path]


_SIZES = {
  "hidden_size": 32,
  "intermediate_size": 64,
  "num_hidden_layers": 2,
  "num_attention_heads": 2,
  "image_size": 32,
  "patch_size": 16,
}


@pytest.mark.parametrize(
  ("family", "kind", "settings"),
  [
    ("BEiT", "BeitForImageClassification", _SIZES),
    ("DeiT", "DeiTForImageClassification", _SIZES),
  ],
)
def test_what_transformers_writes(tmp_path, family, kind, settings):
  model = getattr(transformers, kind)
  config = model.config_class(**settings)
  model(config).save_pretrained(tmp_path)
  in_memory = model(config).state_dict()
  in_file = convert_weights.read(tmp_path).tensors
  for tensors in (in_file, in_memory):
    found = families.find_family(tensors)
    assert found is not None
    assert family in found.name


@pytest.mark.parametrize(
  "shapes",
  [
    published_checkpoints.clip(**published_checkpoints.CLIP_B16),
    published_checkpoints.eva(**published_checkpoints.EVA_B16),
    published_checkpoints.timm_vit(),
    published_checkpoints.google_vit(),
  ],
  ids=["clip", "eva", "timm", "google"],
)
def test_supported_images_are_no_such_family(shapes):
  assert families.find_family(published_checkpoints.structs(shapes)) is None


def test_unknown_weights_are_one_line():
  tensors = {
    f"foo.{i}.bar": types.SimpleNamespace(shape=(3,), dtype=np.float32)
    for i in range(300)
  }
  with pytest.raises(ValueError, match="of no source") as caught:
    convert_weights.convert("resnet18", tensors)
  message = str(caught.value)
  assert "the names of the 300 tensors, from 'foo.0.bar' on" in message
  assert "timm_vit" in message
  assert "\n" not in message
