import contextlib
import hashlib
import json
import shutil
import sys

import jax
import numpy as np
import orbax.checkpoint as ocp
import pytest

from temporal_jax import inference
from temporal_jax.inference.export import compare_exported
from tests.support import exported_networks


@pytest.fixture(scope="module")
def model(tmp_path_factory):
  """Directory of a small network."""
  path = tmp_path_factory.mktemp("export") / "model"
  exported_networks.load(path, "resnet", source={"name": "made"}, license="CC0-1.0")
  return path


def _read(path):
  return json.loads(path.read_text())


def test_savable_holds_what_load_model_needs(model, tmp_path):
  card = inference.export_model(model, tmp_path / "out", format="savable")
  names = {path.name for path in (tmp_path / "out").iterdir()}
  assert names == {
    "model.json",
    "model.safetensors",
    "sha256sums.txt",
    "card.json",
    "README.md",
    "classes.json",
  }
  before, after = (inference.load_model(path) for path in (model, tmp_path / "out"))
  jax.tree.map(np.testing.assert_array_equal, after.variables, before.variables)
  assert after.description == before.description
  assert card["artifact"]["sha256"] == before.description["sha256"]
  # Whoever may read one file may read the others.
  assert len({path.stat().st_mode for path in (tmp_path / "out").iterdir()}) == 1
  assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_temperature_is_exported(model, tmp_path):
  shutil.copytree(model, tmp_path / "net")
  inference.store_temperature(tmp_path / "net", 1.75)
  card = inference.export_model(tmp_path / "net", tmp_path / "out", format="savable")
  assert card["output"]["temperature"] == "model.json"  # A later one counts.
  page = (tmp_path / "out" / "README.md").read_text()
  assert "by softmax of the logits, divided by the `temperature` of model.json" in page
  exported = inference.load_model(tmp_path / "out")
  assert exported.description["temperature"] == 1.75
  card = inference.export_model(tmp_path / "out", tmp_path / "file", format="stablehlo")
  assert card["output"]["temperature"] == 1.75
  page = (tmp_path / "file" / "README.md").read_text()
  assert "by softmax of the logits, divided by the temperature 1.75" in page


def test_a_network_without_classes_gives_features(tmp_path):
  path = tmp_path / "tower"
  saved = exported_networks.load(path, "vit", num_classes=None, class_names=None)
  card = inference.export_model(path, tmp_path / "out", format="savable")
  assert card["output"]["classes"] is card["output"]["probabilities"] is None
  page = (tmp_path / "out" / "README.md").read_text()
  assert 'pipeline_tag: "feature-extraction"' in page
  assert "A network that gives features of a short video clip." in page
  assert "probabilities" not in page
  code = page.partition("```python\n")[2].partition("```")[0]
  names = {}
  with contextlib.chdir(tmp_path / "out"), jax.numpy_dtype_promotion("standard"):
    exec(code, names)
  assert names["features"].shape == (1, saved.network.projection)
  message = "vit_b16 has no classifier, and gives features: `extract` writes them"
  for use in (
    lambda: inference.Predictor(path),
    lambda: inference.Stream(path),
    lambda: inference.export_model(path, tmp_path / "more", format="stablehlo"),
  ):
    with pytest.raises(ValueError, match=message):
      use()
  assert not (tmp_path / "more").exists()


def test_a_network_without_names_of_classes_compares_texts(tmp_path):
  exported_networks.load(tmp_path / "net", "ila", num_classes=None, class_names=None)
  inference.export_model(tmp_path / "net", tmp_path / "out", format="savable")
  page = (tmp_path / "out" / "README.md").read_text()
  assert "A network that compares texts with a short video clip." in page


def test_card_says_what_is_known(model, tmp_path):
  card = inference.export_model(
    model, tmp_path / "out", format="stablehlo", batch_size=2
  )
  assert card == _read(tmp_path / "out" / "card.json")
  content = (tmp_path / "out" / "model.stablehlo").read_bytes()
  digest = hashlib.sha256(content).hexdigest()
  assert card["artifact"]["sha256"] == digest
  assert card["input"]["shape"] == [2, *exported_networks.CLIP_SHAPE]
  assert card["input"]["pixels"]["mean"] == [0.5, 0.4, 0.3]
  assert card["output"]["classes"] == 3
  names = _read(tmp_path / "out" / "classes.json")
  assert tuple(names) == exported_networks.CLASS_NAMES
  # Stem 7 x 7, two 3 x 3, norms of three, and the head.
  kernels = 7 * 7 * 3 * 8 + 2 * 3 * 3 * 8 * 8
  assert card["parameters"] == kernels + 3 * 2 * 8 + 8 * 3 + 3
  # Frames are 8 of 16 x 16 pixels; the stem and its pooling halve them.
  products = 8 * (7 * 7 * 3 * 8 * 64 + 2 * 3 * 3 * 8 * 8 * 16) + 8 * 3 * 8
  assert card["multiply_adds"] == products
  assert card["license"] == "CC0-1.0"
  assert (card["name"], card["architecture"]) == ("out", "resnet18")
  assert card["operator"] == "none"
  assert card["scores"] is None
  page = (tmp_path / "out" / "README.md").read_text()
  assert page.startswith(
    '---\nlibrary_name: "temporal_jax"\npipeline_tag: "video-classification"\n'
    'license: "cc0-1.0"\ntags: ["resnet18", "none", "stablehlo"]\n---\n\n# out\n'
  )
  for words in (
    "clips = np.zeros((2, 8, 16, 16, 3), np.uint8)",
    "Batches have 2 clips",
    '`{"name": "made"}`',
    "Not stated: no report.json",
    digest,
  ):
    assert words in page


def test_savable_of_a_run_holds_its_averages_and_scores(tmp_path):
  description = exported_networks.describe("resnet")
  variables = exported_networks.draw(description)
  averages = jax.tree.map(lambda x: x + 1, variables)
  run = tmp_path / "run"
  with ocp.StandardCheckpointer() as writer:
    writer.save(
      run / "checkpoints" / "7" / "state",
      {**variables, "ema": averages, "opt_state": {"m": np.ones(3)}},
    )
  inference.write_description(run, description, variables)
  report = {
    **{"top1": 0.625, "top5": 1.0, "seconds": 2.5},
    **{"clips_listed": 16, "clips_decoded": 16, "clips_scored": 16},
  }
  (run / "report.json").write_text(json.dumps(report))
  card = inference.export_model(run, tmp_path / "out", format="savable")
  loaded = inference.load_model(tmp_path / "out")
  jax.tree.map(np.testing.assert_array_equal, loaded.variables, averages)
  assert loaded.variables.keys() == {"params", "batch_stats"}
  assert card["scores"]["top1"] == 0.625
  page = (tmp_path / "out" / "README.md").read_text()
  assert "top-1 62.5%" in page
  assert '\nmetrics: ["accuracy"]\n---\n' in page


@pytest.mark.parametrize(
  ("options", "message"),
  [
    ({"format": "tflite"}, "format must be one of"),
    ({"format": "onnx", "platforms": ["cpu"]}, "platforms are of format"),
    ({"format": "stablehlo", "platforms": ["gpu"]}, r"got \['gpu'\]"),
    ({"format": "stablehlo", "platforms": []}, r"got \[\]"),
    ({"format": "stablehlo", "batch_size": 0}, "at least 1, got 0"),
    ({"format": "savable", "batch_size": 1}, "batches of any size"),
    ({"format": "stablehlo", "dtype": "int8"}, "dtype must be one of"),
    ({"format": "onnx", "dtype": "bfloat16"}, "written in float32"),
    ({"format": "savable", "weights": "int4"}, "weights must be one of"),
    ({"format": "onnx", "weights": "int8"}, "written with weights in float32"),
  ],
)
def test_refuses_what_does_not_fit(model, tmp_path, options, message):
  with pytest.raises(ValueError, match=message):
    inference.export_model(model, tmp_path / "out", **options)


def test_writes_over_nothing(model, tmp_path):
  with pytest.raises(FileExistsError, match="exists already"):
    inference.export_model(model, tmp_path, format="savable")


def test_writes_nothing_that_gives_other_probabilities(model, tmp_path, monkeypatch):
  # The package has the function under the name of its module.
  module = sys.modules[inference.export_model.__module__]
  monkeypatch.setattr(
    module, "run_stablehlo", lambda content, clips: np.full((2, 3), 0.9)
  )
  with pytest.raises(ValueError, match=r"nothing is written: .* resnet18"):
    inference.export_model(model, tmp_path / "out", format="stablehlo", batch_size=2)
  assert list(tmp_path.iterdir()) == []


def test_probabilities_that_are_none_differ(model):
  saved = inference.load_model(model, dtype="float32")
  for wrong in (np.nan, 1.0):
    with pytest.raises(ValueError, match="differ by"):
      compare_exported.largest_difference(
        lambda clips, wrong=wrong: np.full((len(clips), 3), wrong),
        saved,
        batch_size=2,
      )
