"""Detectors in directories: round trips, and what is refused."""

import json
import shutil

import jax
import numpy as np
import pytest

from temporal_jax import inference
from temporal_jax.localization import (
  PointDecoding,
  load_detector,
  save_detector,
  write_detector_description,
)
from tests.support import hostile_models
from tests.support.tiny_detectors import KIND, KINDS, film, tiny_detector


@pytest.fixture(scope="module")
def good(tmp_path_factory):
  detector, description = tiny_detector("pad")
  directory = tmp_path_factory.mktemp("detectors") / "good"
  save_detector(directory, detector.variables, description)
  return directory


@pytest.fixture
def directory(good, tmp_path):
  return shutil.copytree(good, tmp_path / "detector")


@pytest.mark.parametrize("name", KINDS)
def test_is_read_as_it_was_written(tmp_path, name):
  detector, description = tiny_detector(name)
  save_detector(tmp_path / "saved", detector.variables, description)
  loaded = load_detector(tmp_path / "saved")
  assert loaded.form == detector.form
  assert loaded.decoding == detector.decoding
  assert loaded.class_names == detector.class_names
  assert loaded.feature_kind == KIND
  jax.tree.map(np.testing.assert_array_equal, loaded.variables, detector.variables)
  ((got,), (wanted,)) = (one.detect([film(9)]) for one in (loaded, detector))
  for one, other in zip(got, wanted, strict=True):
    np.testing.assert_array_equal(one, other)


def test_statistics_of_a_training_are_left_out(tmp_path):
  detector, description = tiny_detector("pad")
  variables = {**detector.variables, "batch_stats": {"normalizer": np.float32(100)}}
  save_detector(tmp_path / "saved", variables, description)
  assert load_detector(tmp_path / "saved").variables["batch_stats"] == {}


def test_readers_name_each_other(tmp_path, directory):
  classifier = tmp_path / "classifier"
  classifier.mkdir()
  text = json.dumps(hostile_models.DESCRIPTION)
  (classifier / "model.json").write_text(text)
  with pytest.raises(ValueError, match=r"a network that classifies clips, .*Predictor"):
    load_detector(classifier)
  with pytest.raises(ValueError, match=r"must describe a network .*; .*Localizer"):
    inference.load_model(directory)
  with pytest.raises(FileNotFoundError, match="there is no file or folder"):
    load_detector(tmp_path / "nowhere")


def _refused(directory, words):
  with pytest.raises(ValueError) as caught:  # noqa: PT011
    load_detector(directory)
  message = str(caught.value)
  assert words in message, message
  assert str(directory) in message
  assert len(message) < 1000
  assert len(message.splitlines()) == 1


HUGE = 10**9
# The fields of a description, "a.b" -> what they must not be.
WRONG = {
  "format_version": [2, 0, "1"],
  "task": ["classify", 3, None],
  "model": ["actionfomer", None, 3, "resnet18"],
  "overrides": [None, []],
  "overrides.width": [0, HUGE, "8", None, 2.5],
  "overrides.num_heads": [0, HUGE, 3],
  "overrides.windows": [0, 4, HUGE, [3], [3] * 40, "3", [[3]]],
  "overrides.ranges": [[], [[0]], [[0, 1]] * 40, [[0, -1]] * 3, "x"],
  "overrides.max_length": [0, HUGE],
  "overrides.stride": [0, HUGE],
  "overrides.head_layers": [0, HUGE],
  "overrides.stem_blocks": [HUGE],
  "overrides.taps": [0, HUGE],
  "overrides.drop_path": [-1, 2, "0"],
  "overrides.empty_classes": [[-1], [HUGE], "x"],
  "overrides.dtype": ["float31"],
  "overrides.widht": [3],
  "overrides.name": ["x"],
  "overrides.num_classes": [3],
  "num_classes": [None, 0, HUGE, "3", {"verb": 3}],
  "class_names": [["a"], ["a", "a", "b"], {"verb": ["a"]}, ["a", "b", 3]],
  "features": [None, [], {"width": 5}],
  "features.width": [0, HUGE, "5", None],
  "features.stride": [0, -1, "2", None],
  "features.window": [0, HUGE],
  "features.model": [3, None, "x" * 2000],
  "features.weights": [3],
  "features.fps": [30],
  "features.frames": ["squared", "short side 0", "short side 99999", 3, None],
  "features.rate": ["-1", "0", "nan", "1e9", "fast", "1_0", "\u0663", 30.5e9, None, []],
  "sequences": [None, {}, {"fit": "pad"}],
  "sequences.fit": ["padd", 3, None],
  "sequences.length": [0, HUGE, "24", None, 2.5],
  "sequences.step": [-1, 3, None],
  "sequences.every": [0, HUGE, "1"],
  "sequences.lenght": [24],
  "decoding": [None, []],
  "decoding.threshold": [-1, "0", None],
  "decoding.most": [0, 2.5, "9"],
  "decoding.suppression": ["sotf", None, []],
  "decoding.sigma": [0, -1, "1"],
  "decoding.voting": [0.9, 2],
  "decoding.alpha": [0.4],
  "lists": [3, {"train": 3}],
  "sha256": [3],
}


@pytest.mark.parametrize("place", WRONG)
def test_a_wrong_field_is_named(directory, place):
  good = (directory / "model.json").read_text()
  *path, last = place.split(".")
  for value in WRONG[place]:
    description = json.loads(good)
    record = description
    for name in path:
      record = record[name]
    record[last] = value
    (directory / "model.json").write_text(json.dumps(description))
    words = last
    if place == "overrides.num_heads" and value == 3:
      words = "heads do not divide"
    if place == "overrides.windows" and value == 4:
      words = "window must be odd"
    _refused(directory, words)


def test_what_takes_other_sequences_is_refused(directory):
  description = json.loads((directory / "model.json").read_text())
  description["sequences"] = {"fit": "windows", "length": 9, "step": 3}
  (directory / "model.json").write_text(json.dumps(description))
  _refused(directory, "fit must be one of ['pad', 'resample'] for ActionFormer")


def test_strides_and_tables_are_bounded(directory):
  for overrides, words in (
    ({"stride": 64, "ranges": [[0, 1]] * 16}, "stride of"),
    ({"windows": 4095, "stride": 64}, "sequences of 262016 positions"),
    ({"positions": True, "max_length": 2**16, "width": 2**12}, "a table of"),
  ):
    description = json.loads((directory / "model.json").read_text())
    description["overrides"].update(overrides)
    changed = shutil.copytree(directory, directory.parent / words.replace(" ", "-"))
    (changed / "model.json").write_text(json.dumps(description))
    _refused(changed, words)


@pytest.mark.parametrize("name", ["model", "features", "sequences", "decoding"])
def test_a_missing_field_is_named(directory, name):
  description = json.loads((directory / "model.json").read_text())
  del description[name]
  (directory / "model.json").write_text(json.dumps(description))
  _refused(directory, f"lacks ['{name}']")


def test_sizes_of_proposals_are_bounded(tmp_path):
  detector, description = tiny_detector("proposals")
  save_detector(tmp_path / "saved", detector.variables, description)
  for overrides, length in (({"durations": 2**14}, 100), ({"bins": 1024}, 2**12)):
    changed = json.loads(json.dumps(description))
    changed["overrides"].update(overrides)
    changed["sequences"]["length"] = length
    (tmp_path / "saved" / "model.json").write_text(json.dumps(changed))
    _refused(tmp_path / "saved", "proposals and")


@pytest.mark.parametrize("name", hostile_models.TEXTS)
def test_what_is_no_json_is_refused(directory, name):
  content, _ = hostile_models.TEXTS[name]
  (directory / "model.json").write_bytes(content)
  _refused(directory, "model.json")


def test_variables_of_another_network_are_refused(directory):
  detector, description = tiny_detector("pad", overrides={"width": 4})
  write_detector_description(directory, description, detector.variables)
  _refused(directory, "do not fit actionformer of model.json")


def test_other_features_than_the_network_takes_are_refused(tmp_path):
  detector, description = tiny_detector("pad")
  description["features"]["width"] = 6
  with pytest.raises(ValueError, match="do not fit actionformer"):
    save_detector(tmp_path / "saved", detector.variables, description)
  assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", KINDS)
def test_a_width_that_is_not_the_weights_is_refused_on_loading(tmp_path, name):
  detector, description = tiny_detector(name)
  save_detector(tmp_path / "saved", detector.variables, description)
  described = json.loads((tmp_path / "saved" / "model.json").read_text())
  described["features"]["width"] += 4
  (tmp_path / "saved" / "model.json").write_text(json.dumps(described))
  _refused(tmp_path / "saved", "do not fit")


def test_nothing_is_written_that_could_not_be_read(tmp_path):
  detector, description = tiny_detector("pad")
  for change, words in (
    ({"task": None}, "task"),
    ({"notes": object()}, "cannot be written as JSON"),
    ({"decoding": {"sigma": 0}}, r"decoding\.sigma"),
    ({"sound": 1}, "unknown fields"),
  ):
    with pytest.raises(ValueError, match=words):
      save_detector(tmp_path / "saved", detector.variables, {**description, **change})
  assert not list(tmp_path.iterdir())


def test_decoding_may_be_left_to_its_defaults(directory):
  description = json.loads((directory / "model.json").read_text())
  description["decoding"] = {}
  (directory / "model.json").write_text(json.dumps(description))
  assert load_detector(directory).decoding == PointDecoding()
