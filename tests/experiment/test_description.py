"""A start is compared with what an earlier start of the run recorded."""

import types

import jax
import pytest

from temporal_jax import data
from temporal_jax.experiment import RunSettings
from temporal_jax.experiment.description import (
  describe,
  describe_lists,
  differences,
  earlier_description,
  in_order_of,
)
from tests.support import tiny_config

WORKDIR = "runs/one"


def _settings():
  return RunSettings.from_config(tiny_config.get_config(), jax.devices()[:1])


def _source(names, labels=(0, 1)):
  files = [(f"{i}.mp4", label) for i, label in enumerate(labels)]
  return data.FileSource(files, names)


def _in_order(recorded, names):
  sources = {split: _source(names) for split in ("train", "test")}
  return in_order_of({"class_names": recorded}, sources, WORKDIR), sources


def test_a_new_run_and_the_same_classes_change_nothing():
  sources = {split: _source(("a", "b")) for split in ("train", "test")}
  assert in_order_of(None, sources, WORKDIR) == sources
  got, sources = _in_order(["a", "b"], ("a", "b"))
  assert got == sources
  got, sources = _in_order(None, ("a", "b"))  # Not recorded.
  assert got == sources


@pytest.mark.parametrize(
  ("recorded", "names", "message"),
  [
    (["a", "b"], ("a", "c"), r"new \['c'\], gone \['b'\]\. Labels would"),
    (["a", "b"], ("a", "b", "c"), r"with: new \['c'\]\. Labels"),
    (["a", "b", "c"], ("a", "b"), r"with: gone \['c'\]\. Labels"),
    (
      ["a", "b"],
      {"verb": ("a",)},
      "tasks .'verb'., but .* one task without a name",
    ),
    (
      {"verb": ["a"], "noun": ["b"]},
      {"verb": ("a",), "noun": ("c",)},
      r"the classes of noun of the data .* new \['c'\], gone \['b'\]",
    ),
    (
      {"verb": ["a"], "noun": ["b"]},
      {"noun": ("b",), "verb": ("a",)},
      "tasks .'noun', 'verb'., but .*.'verb', 'noun'.",
    ),
  ],
)
def test_other_classes_are_refused_by_name(recorded, names, message):
  with pytest.raises(ValueError, match=message) as caught:
    _in_order(recorded, names)
  assert "a new --workdir with --config.init_from=runs/one" in str(caught.value)


def test_classes_in_another_order_keep_the_numbers_of_the_run():
  got, _ = _in_order(["0", "1", "10", "2"], ("0", "1", "2", "10"))
  for source in got.values():
    assert source.class_names == ("0", "1", "10", "2")
  sources = {"train": _source(("0", "1", "2", "10"), (2, 3, 0))}
  got = in_order_of({"class_names": ["0", "1", "10", "2"]}, sources, WORKDIR)
  assert [video["label"] for video in got["train"]] == [3, 2, 0]


def _videos(train=800, test=90, digests=("x", "y")):
  return types.SimpleNamespace(
    num_train=train,
    num_test=test,
    fingerprints=dict(zip(("train", "test"), digests, strict=True)),
  )


def test_changed_lists_are_said():
  old = {"videos": 800, "sha256": "x"}
  earlier = {"lists": {"train": old, "test": {"videos": 90, "sha256": "y"}}}
  assert differences(earlier, describe_lists(_videos())) == []
  assert differences(None, describe_lists(_videos())) == []
  assert differences({}, describe_lists(_videos())) == []
  assert differences(
    earlier, describe_lists(_videos(train=812, digests=("z", "y")))
  ) == [
    "the training list changed: 812 videos, before 800; the order in training differs"
  ]
  (note,) = differences(earlier, describe_lists(_videos(digests=("x", "z"))))
  assert note.startswith("the test list changed: 90 videos, before 90; scores")


def test_a_temperature_is_left_out_with_words():
  earlier = {"temperature": 2.5, "lists": describe_lists(_videos())}
  (note,) = differences(earlier, describe_lists(_videos()))
  assert note.startswith("the temperature 2.5 of model.json is left out")


def test_changed_features_are_said():
  old = {"videos": 8, "sha256": "x", "features": "f"}
  before = {"lists": {"train": old, "test": old}}
  assert differences(before, {"train": old, "test": old}) == []
  without = {"videos": 8, "sha256": "x"}
  assert differences(before, {"train": without}) == []
  assert differences({"lists": {"train": without}}, {"train": old}) == []
  assert differences(before, {"train": old, "test": {**old, "features": "g"}}) == [
    "the features of the test films changed since the run began; scores are not "
    "comparable with earlier ones"
  ]


def test_only_a_run_with_a_checkpoint_is_compared(tmp_path):
  (tmp_path / "model.json").write_text("{}")
  assert earlier_description(tmp_path) is None
  (tmp_path / "checkpoints").mkdir()
  assert earlier_description(tmp_path) is None
  assert earlier_description(tmp_path / "nowhere") is None


def test_the_first_lists_stay_recorded():
  videos = _videos(train=2)
  videos.class_names, videos.multi_label = ("a", "b"), False
  first = describe(_settings(), videos)
  assert first["lists"]["train"] == {"videos": 2, "sha256": "x"}
  videos.num_train, videos.fingerprints["train"] = 3, "z"
  again = describe(_settings(), videos, first)
  assert again["lists"] == first["lists"]


def test_two_classes_of_one_name_are_refused():
  videos = _videos()
  videos.class_names, videos.multi_label = ("a", "a"), False
  with pytest.raises(ValueError, match="the data have two classes of the same"):
    describe(_settings(), videos)
