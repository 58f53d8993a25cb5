import json

import pytest

from temporal_jax.cli import main
from tests.support import exported_networks


@pytest.fixture(scope="module")
def model(tmp_path_factory):
  path = tmp_path_factory.mktemp("export") / "model"
  exported_networks.load(path, "resnet")
  return str(path)


def test_writes_and_says_what(model, tmp_path, capsys):
  out = str(tmp_path / "out")
  words = ["--format", "stablehlo", "--platforms", "cpu", "--batch-size", "2"]
  assert main(["export", out, "--model", model, *words]) == 0
  told = capsys.readouterr().out
  assert f"{out}: resnet18 as stablehlo, " in told
  assert "probabilities differ by " in told
  card = json.loads((tmp_path / "out" / "card.json").read_text())
  assert card["artifact"]["platforms"] == ["cpu"]
  assert card["artifact"]["batch_size"] == 2


@pytest.mark.parametrize(
  ("words", "message"),
  [
    (["--format", "savable", "--batch-size", "2"], "batches of any size"),
    (
      ["--format", "onnx", "--model", "/nowhere"],
      "there is no file or folder /nowhere",
    ),
  ],
)
def test_what_cannot_be_written_ends_with_2(model, tmp_path, capsys, words, message):
  out = str(tmp_path / "out")
  assert main(["export", out, "--model", model, *words]) == 2
  assert message in capsys.readouterr().err
  assert not (tmp_path / "out").exists()
