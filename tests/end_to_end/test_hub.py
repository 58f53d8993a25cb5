"""Runs that start from weights of the hub."""

import json
import pathlib
import resource
import tempfile

import jax
import numpy as np
import pytest
import safetensors.numpy
from huggingface_hub import constants

from convert_weights import __main__ as convert_command
from temporal_jax import experiment, inference, pretrained, train, training
from temporal_jax.configs import finetune
from tests.support.hub_server import local_hub
from tests.support.saved_models import save_resnet
from tests.support.tiny_huggingface_vit import vit_classifier

_VIT = {"width": 32, "depth": 2, "num_heads": 2, "patch_size": 4}


@pytest.fixture(autouse=True)
def _standard_promotion():
  with jax.numpy_dtype_promotion("standard"):
    yield


@pytest.fixture
def server(tmp_path, monkeypatch):
  with local_hub(tmp_path, monkeypatch) as running:
    yield running


def _contents(folder):
  return {path.name: path.read_bytes() for path in pathlib.Path(folder).iterdir()}


@pytest.fixture
def own(server, tmp_path):
  save_resnet(tmp_path / "own")
  return server.add("org/own", _contents(tmp_path / "own"))


@pytest.fixture
def foreign(server, tmp_path):
  vit_classifier().save_pretrained(tmp_path / "vit")
  return server.add("org/vit", _contents(tmp_path / "vit"))


def _config(root, init_from, *, name=None, overrides=None):
  config = finetune.get_config()
  config.data.root, config.init_from, config.model.name = str(root), init_from, name
  with config.model.overrides.unlocked():
    config.model.overrides.update(overrides or {})
  config.num_steps, config.optim.warmup_steps, config.batch_size = 2, 0, 8
  config.data.num_threads, config.data.test_fraction = 2, 0.34
  return config


def _train(config, workdir):
  workdir.mkdir(exist_ok=True)
  train.run(config, workdir, training.StopRequest())
  return json.loads((workdir / "model.json").read_text())


@pytest.mark.slow
def test_from_a_network_of_the_hub(server, own, video_folder, tmp_path, capsys):
  config = _config(video_folder, "hf://org/own")
  saved = _train(config, tmp_path / "run")
  assert saved["model"] == "resnet18"
  assert saved["overrides"]["width"] == 8
  assert saved["source"] == {"address": f"hf://org/own@{own}"}
  assert f"start: weights of hf://org/own@{own}; " in capsys.readouterr().out
  written = json.loads((tmp_path / "run" / "config.json").read_text())
  assert written["init_from"] == "hf://org/own"
  assert not (tmp_path / "run" / "init_from").exists()
  # The repository is gone, and nothing of it is needed.
  server.repositories.clear()
  before = len(server.requests)
  assert _train(config, tmp_path / "run") == saved
  assert "start: resumed" in capsys.readouterr().out
  assert len(server.requests) == before


@pytest.mark.slow
def test_from_weights_of_another_library(
  server, foreign, video_folder, tmp_path, capsys
):
  config = _config(video_folder, "hf://org/vit", name="vit_b16_in21k", overrides=_VIT)
  config.model.image_size = 16
  saved = _train(config, tmp_path / "run")
  assert saved["model"] == "vit_b16_in21k"
  assert saved["source"] == {"address": f"hf://org/vit@{foreign}"}
  assert f"start: weights of hf://org/vit@{foreign}; " in capsys.readouterr().out
  kept = inference.load_model(tmp_path / "run" / "init_from")
  tensors = safetensors.numpy.load_file(tmp_path / "vit" / "model.safetensors")
  np.testing.assert_array_equal(
    kept.variables["params"]["head"]["bias"], tensors["classifier.bias"]
  )
  report = json.loads((tmp_path / "run" / "init_from" / "model.json").read_text())
  assert report["source"]["address"] == f"hf://org/vit@{foreign}"
  assert report["report"]["used"]
  server.repositories.clear()
  assert _train(config, tmp_path / "run") == saved
  assert "start: resumed" in capsys.readouterr().out


@pytest.mark.slow
def test_a_start_that_is_refused_leaves_nothing(
  server, own, foreign, video_folder, tmp_path, monkeypatch
):
  monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
  (tmp_path / "temporary").mkdir()
  workdir = tmp_path / "run"
  workdir.mkdir()
  cases = {
    r"give the network.*--config\.model\.name=NAME; .*inspect hf://org/vit": {},
    r"hf://org/vit@\w{40}: .*do not fit": {"name": "vit_b16_in21k"},
    r"optim\.lr": {"name": "vit_b16_in21k", "overrides": _VIT},
  }
  for words, changes in cases.items():
    config = _config(video_folder, "hf://org/vit", **changes)
    config.model.image_size = 16 if "overrides" in changes else 0
    config.optim.lr = -1.0
    with pytest.raises(ValueError, match=words):
      _train(config, workdir)
    assert not [*workdir.iterdir()]
    assert not [*(tmp_path / "temporary").iterdir()]
  with pytest.raises(ValueError, match="hf://org/nowhere: there is no such"):
    _train(_config(video_folder, "hf://org/nowhere"), workdir)
  assert not [*workdir.iterdir()]


def test_a_disk_without_space_for_converted_weights_is_named(tmp_path):
  folder, workdir = tmp_path / "converted", tmp_path / "run"
  save_resnet(folder)
  workdir.mkdir()
  soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
  resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))  # Bytes of a file.
  try:
    with pytest.raises(OSError, match="File too large") as caught:
      experiment.StartWeights(str(folder), is_new=True).keep(workdir)
  finally:
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
  kept = pathlib.Path(caught.value.filename2)
  assert kept.parent == workdir / "init_from"
  assert not [*workdir.iterdir()]


def test_the_bundled_network_is_taken_by_its_name(video_folder):
  config = _config(video_folder, "camera_motion")
  with experiment.start_weights(config) as weights:
    completed = experiment.complete(weights.used_in(config))
    assert completed.model.overrides.width == 16
    assert training.load_variables(weights.folder)["params"]


def test_a_preview_takes_networks_only(server, own, foreign, video_folder):
  config = _config(video_folder, "hf://org/own")
  with experiment.start_weights(config) as weights:
    assert experiment.complete(weights.used_in(config)).model.name == "resnet18"
  config = _config(video_folder, "hf://org/vit", name="vit_b16_in21k")
  with (
    pytest.raises(ValueError, match="a preview needs them converted"),
    experiment.start_weights(config),
  ):
    pass


def test_a_detector_names_its_own_command(server, foreign, tmp_path):
  config = _config(tmp_path, "hf://org/vit", name="bmn")
  config.task = "localization"
  with (
    pytest.raises(ValueError, match=r"convert_weights bmn hf://org/vit OUT --features"),
    experiment.start_weights(
      config, workdir=tmp_path / "run", convert=pretrained.convert
    ),
  ):
    pass


@pytest.mark.slow  # Inspection plans every network of the catalog.
def test_the_command_converts_an_address(server, foreign, own, tmp_path, capsys):
  sizes = [f"--set={key}={value}" for key, value in _VIT.items()]
  words = ["vit_b16_in21k", "hf://org/vit", str(tmp_path / "out")]
  convert_command.main([*words, *sizes, "--set=image_size=16"])
  assert f"hf://org/vit@{foreign}" in capsys.readouterr().out
  description = inference.read_description(tmp_path / "out")
  assert description["source"]["address"] == f"hf://org/vit@{foreign}"
  for address, error in {
    "hf://org/own": "is a network of this library, and needs no conversion",
    "hf://org/nowhere": "there is no such repository",
  }.items():
    with pytest.raises(SystemExit):
      convert_command.main(["resnet18", address, str(tmp_path / "new")])
    assert error in capsys.readouterr().err
    assert not (tmp_path / "new").exists()
  convert_command.main(["inspect", "hf://org/vit"])
  inspected = capsys.readouterr().out
  assert f"hf://org/vit@{foreign}." in inspected
  assert "source huggingface_vit" in inspected
  before = len(server.requests)
  with pytest.raises(SystemExit):
    convert_command.main(["resnet81", "hf://org/vit", str(tmp_path / "new")])
  assert "unknown model 'resnet81'" in capsys.readouterr().err
  assert len(server.requests) == before


def test_without_the_hub_a_cached_network_starts_a_run(
  server, own, video_folder, tmp_path, monkeypatch
):
  config = _config(video_folder, "hf://org/own")
  with experiment.start_weights(config):
    pass
  monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
  with experiment.start_weights(config) as weights:
    assert weights.source == {"address": f"hf://org/own@{own}"}
