"""Starts that would lose a finished run, or could not save theirs."""

import json

import pytest

from temporal_jax.experiment import check_finished
from temporal_jax.experiment.workdir_checks import check_places
from tests.support import tiny_config


@pytest.mark.parametrize(
  ("name", "is_folder", "message"),
  [
    ("checkpoints", False, "checkpoints must be a folder, and is a file"),
    ("tensorboard", False, "tensorboard must be a folder, and is a file"),
    ("report.json", True, "report.json must be a file, and is a folder"),
    ("metrics.jsonl", True, "metrics.jsonl must be a file, and is a folder"),
    ("scores.npz", True, "scores.npz must be a file, and is a folder"),
  ],
)
def test_what_is_in_the_way_is_named(tmp_path, name, is_folder, message):
  check_places(tmp_path)
  (tmp_path / name).mkdir() if is_folder else (tmp_path / name).touch()
  with pytest.raises(ValueError, match=message):
    check_places(tmp_path)


def test_a_saved_network_is_no_workdir(tmp_path):
  (tmp_path / "variables").mkdir()
  with pytest.raises(ValueError, match=r"is a saved network.*--config\.init_from="):
    check_places(tmp_path)


def _start(workdir, num_test=4, **changes):
  config = tiny_config.get_config()
  with config.ignore_type():
    config.update_from_flattened_dict(changes)
  earlier = {"lists": {"test": {"videos": 4, "sha256": "x"}}}
  lists = {"test": {"videos": num_test, "sha256": "y"}}
  check_finished(workdir, config.to_json(), earlier, lists)


@pytest.fixture
def finished(tmp_path):
  """A folder with the config of the tiny run."""
  (tmp_path / "config.json").write_text(tiny_config.get_config().to_json())
  return tmp_path


@pytest.mark.parametrize(
  ("field", "value", "words"),
  [
    ("data.num_frames", 5, "config.data.num_frames was 3 and is now 5"),
    ("data.test_fraction", 0.5, "config.data.test_fraction was 0.34 and is now 0.5"),
    ("data.pixel_std", (1, 1, 1), r"pixel_std was \[\] and is now \[1, 1, 1\]"),
    ("model.temporal", "shift", "temporal was aggregation and is now shift"),
    ("model.overrides.width", 8, "config.model.overrides.width was 4 and is now 8"),
    ("optim.lr", 0.1, "config.optim.lr was 0.001 and is now 0.1"),
  ],
)
def test_another_config_is_refused_by_field(finished, field, value, words):
  with pytest.raises(ValueError, match=words):
    _start(finished, **{field: value})


def test_another_list_of_test_videos_is_refused(finished):
  with pytest.raises(ValueError, match="tested on 4 videos, now there are 3"):
    _start(finished, num_test=3)


def test_how_it_is_tested_and_where_videos_are_may_change(finished):
  changes = {"eval.num_clips": 3, "data.root": "elsewhere", "data.num_threads": 1}
  _start(finished, **changes)


def test_fields_that_an_older_version_lacked_may_be_new(finished):
  config = json.loads((finished / "config.json").read_text())
  del config["data"]["square_pixels"]
  (finished / "config.json").write_text(json.dumps(config))
  _start(finished)
  (finished / "config.json").write_text("{")
  _start(finished, **{"data.num_frames": 5})  # `write_config` reports it.
