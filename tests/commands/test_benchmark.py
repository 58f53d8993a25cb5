import json

import pytest

from temporal_jax import inference
from temporal_jax.cli import main
from tests.support import saved_models, saved_video_text


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
  return saved_models.save_resnet(tmp_path_factory.mktemp("models") / "tiny")


def test_a_directory_is_timed(directory, capsys):
  words = [directory, "--batch-sizes", "3", "--frames", "1"]
  assert main(["benchmark", *words, "--seconds", "0.01"]) == 0
  about, device, head, *rows = capsys.readouterr().out.splitlines()
  assert about == "resnet18, 1 x 16 x 16 x 3, float32, 0.0 M parameters"
  assert device.startswith("cpu (cpu), ")
  assert head.split()[:3] == ["batch", "median", "ms"]
  assert [row.split()[0] for row in rows] == ["3"]


def test_figures_are_json(directory, capsys, monkeypatch):
  def time_network(saved, size, *, seconds):
    return inference.Timing(size, 1.0, 4.0, seconds, 500.0, 7, None, None, 12)

  monkeypatch.setattr(inference, "time_network", time_network)
  words = [directory, "--dtype", "bfloat16", "--seconds", "5"]
  assert main(["benchmark", *words, "--json"]) == 0
  found = json.loads(capsys.readouterr().out)
  assert found["dtype"] == "bfloat16"
  assert found["clip_shape"] == [2, 16, 16, 3]
  assert [row["batch_size"] for row in found["timings"]] == [1, 8]
  assert found["timings"][0]["p95_ms"] == 5
  assert main(["benchmark", *words]) == 0
  row = capsys.readouterr().out.splitlines()[-1]
  assert row.split() == ["8", "4.00", "5.00", "500.0", "-", "-", "0.00", "1.0"]


@pytest.mark.parametrize(
  ("words", "message"),
  [
    (["resnet5O"], "benchmark: unknown model 'resnet5O'"),
    (["resnet18", "--frames", "0"], "--frames must be an integer of at least 1"),
  ],
)
def test_what_cannot_be_run_ends_with_2(words, message, capsys):
  assert main(["benchmark", *words]) == 2
  assert message in capsys.readouterr().err


def test_the_bundled_network_is_timed(capsys):
  words = ["camera_motion", "--batch-sizes", "1", "--seconds", "0.01"]
  assert main(["benchmark", *words]) == 0
  assert capsys.readouterr().out.startswith("resnet18, 8 x 32 x 32 x 3,")


def test_a_network_of_texts_is_timed_without_class_names(tmp_path, capsys):
  """As convert_weights writes it: classes are not known."""
  saved = saved_video_text.make_saved()
  unknown = {"num_classes": None, "class_names": None}
  directory = tmp_path / "texts"
  inference.save_model(directory, saved.variables, {**saved.description, **unknown})
  words = [str(directory), "--batch-sizes", "1", "--seconds", "0.01"]
  assert main(["benchmark", *words]) == 0
  assert capsys.readouterr().out.splitlines()[-1].split()[0] == "1"
  assert main(["describe", str(directory)]) == 0
  assert "xclip_b32: VideoTextModel" in capsys.readouterr().out
