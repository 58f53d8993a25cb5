"""Folders of `save_pretrained`, of one file and of several."""

import json

import numpy as np
import pytest
import safetensors.numpy
import torch
import transformers

import convert_weights
from convert_weights.__main__ import main
from convert_weights.plan import plan_conversion
from convert_weights.reading import CheckpointError, read
from tests.support.checkpoint_files import WEIGHTS, assert_equal
from tests.support.tiny_huggingface_vit import SIZES, vit_classifier

_INDEX = "model.safetensors.index.json"
_NAMES = list(WEIGHTS)


def _shards(folder, form="safetensors", split=2):
  """Writes `WEIGHTS` as two files with an index; returns the index."""
  folder.mkdir(exist_ok=True)
  stem = "model" if form == "safetensors" else "pytorch_model"
  places = {}
  for number, names in enumerate((_NAMES[:split], _NAMES[split:]), 1):
    file = f"{stem}-0000{number}-of-00002.{form}"
    part = {name: WEIGHTS[name] for name in names}
    if form == "safetensors":
      safetensors.numpy.save_file(part, folder / file)
    else:
      tensors = {name: torch.tensor(value) for name, value in part.items()}
      torch.save(tensors, folder / file)
    places |= dict.fromkeys(names, file)
  index = folder / f"{stem}.{form}.index.json"
  index.write_text(json.dumps({"metadata": {}, "weight_map": places}))
  return index


def _refused(folder):
  with pytest.raises(CheckpointError) as caught:
    read(folder)
  message = str(caught.value)
  assert message.startswith(f"{folder}: ")
  assert "\n" not in message
  return message


@pytest.mark.parametrize("shards", [False, True])
def test_what_transformers_saves_is_a_checkpoint(tmp_path, shards):
  model = vit_classifier()
  size = "30KB" if shards else "1GB"
  model.save_pretrained(tmp_path, max_shard_size=size)
  checkpoint = read(tmp_path)
  assert (len(checkpoint.files) > 1) == shards
  loaded = transformers.ViTForImageClassification.from_pretrained(tmp_path)
  want = {p.detach().numpy().tobytes() for p in loaded.parameters()}
  got = {np.asarray(t).tobytes() for t in checkpoint.tensors.values()}
  assert got == want


@pytest.mark.parametrize("form", ["safetensors", "bin"])
def test_files_with_an_index_are_one_checkpoint(tmp_path, form):
  _shards(tmp_path, form)
  checkpoint = read(tmp_path)
  assert_equal(checkpoint.tensors, WEIGHTS)
  assert [file.parent for file in checkpoint.files] == [tmp_path, tmp_path]


def test_safetensors_come_first_and_the_others_are_said(tmp_path):
  safetensors.numpy.save_file(WEIGHTS, tmp_path / "model.safetensors")
  torch.save({"other": torch.ones(2)}, tmp_path / "pytorch_model.bin")
  checkpoint = read(tmp_path)
  assert_equal(checkpoint.tensors, WEIGHTS)
  assert "pytorch_model.bin" in checkpoint.ignored


@pytest.mark.parametrize(
  "file",
  [
    "../secret.safetensors",
    "/etc/passwd",
    "a/b.safetensors",
    "..",
    "",
    "..\\secret.safetensors",
    "C:secret.safetensors",
    ".",
  ],
)
def test_an_index_names_no_file_outside_of_the_folder(tmp_path, file):
  safetensors.numpy.save_file(WEIGHTS, tmp_path / "secret.safetensors")
  folder = tmp_path / "vit"
  folder.mkdir()
  places = dict.fromkeys(WEIGHTS, file)
  (folder / _INDEX).write_text(json.dumps({"weight_map": places}))
  message = _refused(folder)
  assert "allowed are names of files in its folder" in message
  assert repr(file) in message


def test_an_index_must_be_right(tmp_path):
  index = _shards(tmp_path)
  good = json.loads(index.read_text())["weight_map"]
  first, second = sorted(set(good.values()))
  moved = {**good, _NAMES[0]: second}
  index.write_text(json.dumps({"weight_map": moved}))
  assert f"{first} holds {_NAMES[0]!r}" in _refused(tmp_path)
  index.write_text(json.dumps({"weight_map": {**good, "more": first}}))
  assert f"{first} does not hold 'more'" in _refused(tmp_path)
  for bad in (
    *("{", "[]", "[" * 100_000),
    *("{}", '{"weight_map": []}', '{"weight_map": {"a": 3}}'),
  ):
    index.write_text(bad)
    assert 'must hold an object "weight_map"' in _refused(tmp_path)
  index.write_text(json.dumps({"weight_map": good}))
  (tmp_path / second).unlink()
  message = _refused(tmp_path)
  assert "lists 2 files" in message
  assert second in message


def test_one_file_of_several_is_not_a_checkpoint(tmp_path):
  index = _shards(tmp_path)
  shard = tmp_path / "model-00001-of-00002.safetensors"
  assert "one of 00002 files" in _refused(shard).replace(" 2 ", " 00002 ")
  assert {*read(index).tensors} == {*read(tmp_path).tensors}


@pytest.mark.parametrize(
  ("file", "words"),
  [
    ("adapter_config.json", "an adapter (LoRA)"),
    ("tf_model.h5", "TensorFlow's weights"),
    ("flax_model.msgpack", "Flax's weights"),
    ("notes.txt", "it holds ['notes.txt']"),
  ],
)
def test_a_folder_without_weights_is_refused(tmp_path, file, words):
  (tmp_path / file).write_text("{}")
  message = _refused(tmp_path)
  assert words in message
  assert "model.safetensors" in message


def test_the_command_takes_a_folder(tmp_path, capsys):
  model = vit_classifier()
  model.save_pretrained(tmp_path / "vit")
  settings = [f"--set={key}={value}" for key, value in SIZES.items()]
  out = tmp_path / "out"
  main(["vit_b16_in21k", str(tmp_path / "vit"), str(out), *settings])
  assert "representation=None" in capsys.readouterr().out
  main(["verify", str(out)])
  source = json.loads((out / "model.json").read_text())["source"]
  assert source["file"] == "vit"
  checkpoint = read(tmp_path / "vit")
  got = convert_weights.convert(
    "vit_b16_in21k",
    checkpoint.tensors,
    settings=checkpoint.settings,
    **SIZES,
  )
  head = model.classifier.weight.detach().numpy().T
  np.testing.assert_array_equal(got["params"]["head"]["kernel"], head)


@pytest.mark.parametrize(
  ("changed", "overrides", "expected"),
  [
    ({}, {}, {"num_heads": 2, "epsilon": 1e-6}),
    ({"num_attention_heads": 4}, {}, {"num_heads": 4}),
    ({"num_attention_heads": 4}, {"num_heads": 4}, {"num_heads": 4}),
    ({"num_attention_heads": 4}, {"num_heads": 2}, "num_heads 2 was asked for"),
    ({"layer_norm_eps": 1e-12}, {}, {"epsilon": 1e-12}),
    ({"layer_norm_eps": 1e-12}, {"epsilon": 1e-12}, {"epsilon": 1e-12}),
    (
      {"hidden_act": "relu"},
      {},
      "activation relu, which no network of the catalog has",
    ),
    ({"hidden_act": "relu"}, {"activation": "gelu"}, "has relu"),
  ],
)
def test_the_configuration_in_a_folder_decides(tmp_path, changed, overrides, expected):
  vit_classifier().save_pretrained(tmp_path)
  file = tmp_path / "config.json"
  file.write_text(json.dumps(json.loads(file.read_text()) | changed))
  checkpoint = read(tmp_path)
  # The number of heads is not given: it is read from the configuration.
  sizes = {name: size for name, size in SIZES.items() if name != "num_heads"}

  def prepare():
    return plan_conversion(
      "vit_b16_in21k",
      checkpoint.tensors,
      settings=checkpoint.settings,
      **{**sizes, **overrides},
    )

  if isinstance(expected, str):
    with pytest.raises(ValueError, match=expected):
      prepare()
    return
  todo = prepare()
  assert {name: getattr(todo.network, name) for name in expected} == expected
  assert not todo.assumed
  assert len(set(todo.notes)) == len(todo.notes)


def test_a_damaged_configuration_in_a_folder_is_named(tmp_path):
  vit_classifier().save_pretrained(tmp_path)
  for text in ("[", "[1]", "", "[" * 100_000):
    (tmp_path / "config.json").write_text(text)
    assert "config.json must hold a JSON object" in _refused(tmp_path)
