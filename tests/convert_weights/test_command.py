"""The command line, on a tiny ResNet of random weights."""

import json

import jax
import numpy as np
import pytest
import safetensors.numpy

import convert_weights
import temporal_jax
from convert_weights.__main__ import main
from temporal_jax import inference

SETTINGS = ["--set", "width=8", "--set", "stage_sizes=[1]"]
TINY = {"width": 8, "stage_sizes": (1,)}


@pytest.fixture(scope="module")
def tensors():
  model = temporal_jax.create_model("resnet18", num_classes=3, **TINY)
  clip = jax.numpy.zeros((1, 2, 16, 16, 3))
  variables = model.init(jax.random.key(0), clip)
  return convert_weights.to_torch("resnet18", variables, source="torchvision", **TINY)


@pytest.fixture
def checkpoint(tmp_path, tensors):
  path = tmp_path / "resnet.safetensors"
  safetensors.numpy.save_file(tensors, path)
  return path


def _run(*arguments):
  main([str(argument) for argument in arguments])


def _fails(capsys, *arguments):
  """Returns the message of a command that fails as it should."""
  with pytest.raises(SystemExit) as stop:
    _run(*arguments)
  assert stop.value.code == 2
  error = capsys.readouterr().err
  assert "Traceback" not in error
  return error


def test_an_error_of_the_system_is_a_sentence(checkpoint, capsys):
  (checkpoint.parent / "file").touch()
  out = checkpoint.parent / "file" / "models" / "tiny"
  error = _fails(capsys, "resnet18", checkpoint, out, *SETTINGS)
  assert error == f"convert_weights: {out.parent}: Not a directory.\n"


def test_writes_a_network_that_can_be_read_and_verified(
  tmp_path, checkpoint, tensors, capsys
):
  labels = tmp_path / "labels.txt"
  labels.write_text("falling\nriding a bike\nwaving\n")
  out = tmp_path / "models" / "tiny"
  _run("resnet18", checkpoint, out, *SETTINGS, "--labels", labels)
  printed = capsys.readouterr().out
  assert "torchvision -> resnet18" in printed
  assert "0 new" in printed
  assert [path.name for path in out.parent.iterdir()] == ["tiny"]
  saved = inference.load_model(out)
  assert saved.class_names == ("falling", "riding a bike", "waving")
  assert tuple(saved.pixels["mean"]) == (0.485, 0.456, 0.406)
  want = convert_weights.convert("resnet18", tensors, **TINY)
  jax.tree.map(np.testing.assert_array_equal, saved.variables, want)
  report = json.loads((out / "model.json").read_text())["report"]
  used = report["used"]["params/stem_conv/kernel"]
  assert used["tensors"] == ["conv1.weight"]
  assert report["skipped"]["bn1.num_batches_tracked"] == "a counter"
  _run("verify", out)
  assert "as written" in capsys.readouterr().out


def test_a_pipe_gets_whole_lines(tmp_path, checkpoint, capsys):
  labels = tmp_path / "labels.txt"
  labels.write_text("falling\nriding a bike\nwaving\n")
  out = tmp_path / ("long" * 40) / "[red]"
  _run("resnet18", checkpoint, out, *SETTINGS, "--labels", labels)
  assert f"wrote {out}" in capsys.readouterr().out.splitlines()


def test_dry_run_writes_nothing(tmp_path, checkpoint, capsys):
  out = tmp_path / "out"
  _run("resnet18", checkpoint, out, *SETTINGS, "--dry-run")
  assert "nothing is written" in capsys.readouterr().out
  assert list(tmp_path.iterdir()) == [checkpoint]


def test_inspect_names_source_and_networks(checkpoint, capsys, monkeypatch):
  few = {"resnet18": temporal_jax.models.MODELS["resnet18"]}
  monkeypatch.setattr("convert_weights.inspection.MODELS", few)
  _run("inspect", checkpoint)
  printed = capsys.readouterr().out
  assert "source torchvision" in printed
  assert "No network of the catalog fits as it is" in printed  # It is tiny.


def test_does_not_write_over_anything(tmp_path, checkpoint, capsys):
  (tmp_path / "out").mkdir()
  error = _fails(capsys, "resnet18", checkpoint, tmp_path / "out", *SETTINGS)
  assert "exists already" in error


def test_labels_must_be_as_many_as_classes(tmp_path, checkpoint, capsys):
  labels = tmp_path / "labels.txt"
  labels.write_text("a\nb\n")
  _run(
    "resnet18",
    checkpoint,
    tmp_path / "two",
    *SETTINGS,
    "--labels",
    labels,
  )
  assert "head starts anew: 2 classes" in capsys.readouterr().out
  error = _fails(
    capsys,
    "resnet18",
    checkpoint,
    tmp_path / "out",
    *SETTINGS,
    "--labels",
    labels,
    "--num-classes",
    3,
  )
  assert "2 labels for 3 classes" in error
  assert not (tmp_path / "out").exists()


def test_verify_sees_a_changed_value(tmp_path, checkpoint, capsys):
  _run("resnet18", checkpoint, tmp_path / "out", *SETTINGS)
  description = tmp_path / "out" / "model.json"
  text = json.loads(description.read_text())
  description.write_text(json.dumps({**text, "sha256": "0" * 64}))
  assert "changed since they were written" in _fails(capsys, "verify", tmp_path / "out")
  largest = tmp_path / "out" / "model.safetensors"
  content = bytearray(largest.read_bytes())
  content[len(content) // 2] ^= 1
  largest.write_bytes(content)
  assert f"{largest} is changed since it was written" in _fails(
    capsys, "verify", tmp_path / "out"
  )
  description.write_text("{")
  assert "is not JSON" in _fails(capsys, "verify", tmp_path / "out")
  assert "there is no model.json" in _fails(capsys, "verify", tmp_path)


@pytest.mark.parametrize(
  ("arguments", "message"),
  [
    (["resnet81"], "unknown model 'resnet81'"),
    (["resnet18", "--set", "width"], "is not KEY=VALUE"),
    (["resnet18", "--set", "widht=8"], "unknown fields ['widht']; did you mean"),
    (["vit_b16", "--set", "grid=[4,4]"], "overrides.grid must be an integer from 1"),
    (["resnet18", "--num-classes", "0"], "0 is not positive"),
    (["resnet18", "--source", "timm"], "unknown source 'timm'"),
    (["resnet18", "--labels", "nowhere.txt"], "nowhere.txt"),
  ],
)
def test_wrong_arguments(tmp_path, checkpoint, capsys, arguments, message):
  model, *rest = arguments
  error = _fails(capsys, model, checkpoint, tmp_path / "out", *rest)
  assert message in error
  assert not (tmp_path / "out").exists()
