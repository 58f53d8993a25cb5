"""The command line, on tiny detectors of random weights."""

import json
import re

import jax
import numpy as np
import pytest
import safetensors.numpy

from convert_weights.__main__ import main
from convert_weights.localizers import localizer_to_torch
from temporal_jax.localization import create_localizer, load_detector

BMN = {
  "width": 256,
  "proposal_width": 6,
  "map_width": 4,
  "bins": 2,
  "durations": 4,
  "groups": 4,
}
POINTS = {"width": 8, "windows": 3, "ranges": ((0, 4), (4, 100))}
FEATURES = ["--features", "stride=4", "--features", "window=16"]
BMN_SET = ["--set", "proposal_width=6", "--set", "map_width=4"]
POINTS_SET = ["--set", "windows=3", "--set", "ranges=[[0,4],[4,100]]"]


def _run(*arguments):
  main([str(argument) for argument in arguments])


def _fails(capsys, *arguments):
  """Returns the message of a command that fails as it should."""
  with pytest.raises(SystemExit) as stop:
    _run(*arguments)
  assert stop.value.code == 2
  return capsys.readouterr().err


def _checkpoint(folder, name, num_classes, arguments, length):
  """Returns random variables, and the file of their tensors."""
  network = create_localizer(name, num_classes=num_classes, **arguments)
  inputs = [np.zeros((1, 8, 12), np.float32)]
  if name == "actionformer":
    inputs.append(np.ones((1, 8), bool))
  shapes = jax.eval_shape(network.init, jax.random.key(0), *inputs)
  rng = np.random.default_rng(0)
  variables = jax.tree.map(lambda x: rng.random(x.shape, np.float32), shapes)
  tensors = localizer_to_torch(
    name, variables, channels=12, length=length, num_classes=num_classes, **arguments
  )
  file = folder / f"{name}.safetensors"
  tensors = {key: np.array(value, order="C") for key, value in tensors.items()}
  safetensors.numpy.save_file(tensors, file)
  return variables, file


@pytest.fixture(scope="module")
def points(tmp_path_factory):
  folder = tmp_path_factory.mktemp("points")
  return _checkpoint(folder, "actionformer", 3, POINTS, None)


def test_actionformer_becomes_a_detector(tmp_path, points, capsys):
  variables, file = points
  labels = tmp_path / "labels.txt"
  labels.write_text("pan\ntilt\nzoom\n")
  out = tmp_path / "out"
  rest = [*POINTS_SET, *FEATURES, "--labels", labels]
  _run("actionformer", file, out, *rest, "--dry-run")
  assert not out.exists()
  _run("actionformer", file, out, *rest, "--features", "model=i3d")
  printed = " ".join(capsys.readouterr().out.split())
  assert "happyharrycn/actionformer_release -> actionformer" in printed
  assert "the weights are taken: the file has no moving average" in printed
  assert "num_classes is 3, as the tensors show." in printed
  assert "0 skipped" in printed
  detector = load_detector(out)
  assert detector.class_names == ("pan", "tilt", "zoom")
  assert detector.feature_kind[:4] == (12, 4, 16, "i3d")
  assert detector.form.length == 2304
  jax.tree.map(
    np.testing.assert_array_equal, detector.variables["params"], variables["params"]
  )
  described = json.loads((out / "model.json").read_text())
  assert described["source"]["file"] == "actionformer.safetensors"
  assert described["overrides"] == {
    "width": 8,
    "windows": 3,
    "ranges": [[0, 4], [4, 100]],
  }
  used = described["report"]["used"]["params/classification/bias"]
  assert used["tensors"] == ["cls_head.cls_head.conv.bias"]
  _run("verify", out)
  assert "actionformer: sha256" in capsys.readouterr().out
  error = _fails(capsys, "actionformer", file, out, *rest)
  assert "exists already" in error


@pytest.mark.slow  # Two networks are compiled.
def test_bmn_becomes_a_detector_of_its_length(tmp_path, capsys):
  variables, file = _checkpoint(tmp_path, "bmn", None, BMN, 8)
  out = tmp_path / "out"
  _run("bmn", file, out, *BMN_SET, *FEATURES)
  assert "1 skipped" in capsys.readouterr().out  # The samples of proposals.
  detector = load_detector(out)
  assert detector.form.length == 8
  assert (detector.network.durations, detector.network.bins) == (4, 2)
  jax.tree.map(
    np.testing.assert_array_equal, detector.variables["params"], variables["params"]
  )
  _run("verify", out)
  assert "a sequence (1, 8, 12) gives numbers" in capsys.readouterr().out
  _run("bmn_epic", file, tmp_path / "epic", *BMN_SET, *FEATURES)
  form = load_detector(tmp_path / "epic").form
  assert (form.fit, form.length, form.step) == ("windows", 8, 4)


@pytest.mark.slow  # All networks of the catalog are traced.
def test_inspect_names_the_detectors(points, capsys):
  _run("inspect", points[1])
  printed = capsys.readouterr().out
  assert "a detector of segments: the naming of happyharrycn" in printed
  # It is narrower than those of the catalog.
  assert "No detector of the catalog fits as it is" in printed


@pytest.mark.parametrize(
  ("arguments", "words"),
  [
    ([], "--features stride=FRAMES must be given, above 0, got None"),
    (["--features", "stride=4"], "--features window=FRAMES must be given"),
    (["--features", "stride=true"], "stride=FRAMES must be .* got True"),
    ([*FEATURES, "--features", "wight=3"], "unknown setting 'wight'"),
    ([*FEATURES, "--features", "stride=8"], "an argument is given twice"),
    ([*FEATURES, "--set", "windoes=3"], "'windoes'.*did you mean 'windows'"),
    ([*FEATURES, "--set", "width=16"], "width 16 was asked for, but .* have 8"),
    (
      [*FEATURES, "--set", "ranges=[[0,4]]", "--set", "windows=3"],
      "do not fit actionf",
    ),
  ],
)
def test_what_does_not_fit_is_named(tmp_path, points, capsys, arguments, words):
  arguments = [*arguments, *(POINTS_SET if "--set" not in arguments else [])]
  error = _fails(capsys, "actionformer", points[1], tmp_path / "out", *arguments)
  assert re.search(words, error), error
  assert not (tmp_path / "out").exists()


def test_labels_are_as_many_as_classes_and_weights_are_finite(tmp_path, points, capsys):
  labels = tmp_path / "labels.txt"
  labels.write_text("pan\ntilt\n")
  rest = ["actionformer", points[1], tmp_path / "out", *POINTS_SET, *FEATURES]
  assert "3 classes" in _fails(capsys, *rest, "--labels", labels)
  tensors = safetensors.numpy.load_file(points[1])
  tensors["reg_head.scale.0.scale"] = np.array(np.nan, np.float32)
  rest[1] = tmp_path / "damaged.safetensors"
  safetensors.numpy.save_file(tensors, rest[1])
  assert "NaN or infinity in ['reg_head.scale.0.scale']" in _fails(capsys, *rest)
  assert not (tmp_path / "out").exists()


def test_help_is_the_detectors_own(capsys):
  with pytest.raises(SystemExit) as stop:
    _run("bmn", "--help")
  assert stop.value.code == 0
  assert "--features KEY=VALUE" in capsys.readouterr().out
