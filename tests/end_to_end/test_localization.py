"""Networks that find segments are trained by train.py."""

import json

import jax
import numpy as np
import pytest
from flax import traverse_util

from temporal_jax import train, training
from temporal_jax.localization.detector.saved_detector import load_detector
from temporal_jax.localization.features import read_features
from temporal_jax.localization.training.objectives import NORMALIZER
from tests.support import tiny_localization
from tests.support.tiny_films import write_films, write_pairs


class _StopAfter(training.StopRequest):
  """A SIGTERM that comes after some steps."""

  def __init__(self, steps):
    super().__init__()
    self._steps = steps

  def comes_after(self, step):
    if step == self._steps:
      self.signal = "SIGTERM"
    return self.signal is not None


@pytest.fixture(scope="module")
def films(tmp_path_factory):
  """A folder with films to train on."""
  folder = tmp_path_factory.mktemp("localization") / "films"
  write_films(folder)
  return folder


def _config(films, network, **changes):
  config = tiny_localization.get_config(network)
  config.data.annotations = str(films / "segments.csv")
  config.data.features = str(films / "features")
  config.update_from_flattened_dict({"batch_size": 8, **changes})
  return config


def _run(config, workdir, stop=None):
  # optax mixes dtypes (decay ** count).
  with jax.numpy_dtype_promotion("standard"):
    train.run(config, workdir, stop or training.StopRequest())


@pytest.fixture(scope="module")
def whole(films, tmp_path_factory):
  """The workdir of a run of an ActionFormer that was never stopped."""
  workdir = tmp_path_factory.mktemp("whole")
  _run(_config(films, "actionformer"), workdir)
  return workdir


def test_a_run_reports_what_it_found(whole, films):
  report = json.loads((whole / "report.json").read_text())
  assert {"mAP", "mAP@0.3", "mAP@0.5"} <= report.keys()
  assert (report["films_trained"], report["films_tested"]) == (9, 3)
  assert report["counts"]["films without a segment"] == 1
  assert report["left_out"] == []
  assert sum(one["segments"] for one in report["per_class"].values()) == 6
  rows = training.read_rows(whole / "metrics.jsonl")
  assert {"loss", "classes", "offsets", "test/mAP"} <= rows[1].keys()
  assert rows[-1]["final/mAP"] == report["mAP"]
  for name in ("curves.png", "average_precision.png", "detections.json"):
    assert (whole / name).exists()
  found = json.loads((whole / "detections.json").read_text())["results"]
  assert found.keys() == {"film_3", "film_7", "film_11"}


def test_its_workdir_is_a_detector(whole, films):
  detector = load_detector(whole)
  assert detector.class_names == ("jump", "run")
  film = read_features(films / "features" / "film_3.npz")
  (found,) = detector.detect([film])
  written = json.loads((whole / "detections.json").read_text())["results"]["film_3"]
  assert len(found.scores) == len(written)
  scores = [one["score"] for one in written]
  np.testing.assert_allclose(found.scores, scores, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("steps", [3])
def test_stopped_and_started_again_it_is_the_same(whole, films, tmp_path, steps):
  """To the last bit, its loss's normalizer too."""
  config = _config(films, "actionformer")
  _run(config, tmp_path, _StopAfter(steps))
  half = training.read_state(tmp_path)
  assert 0 < half["batch_stats"][NORMALIZER] < 100
  _run(config, tmp_path)
  jax.tree.map(
    np.testing.assert_array_equal,
    training.read_state(tmp_path),
    training.read_state(whole),
  )
  for name in ("metrics.jsonl", "detections.json"):
    assert (tmp_path / name).read_text() == (whole / name).read_text()


def test_other_features_are_refused_on_a_later_start(whole, films, tmp_path):
  other = tmp_path / "other"
  write_films(other, width=9)
  config = _config(other, "actionformer")
  before = (whole / "report.json").read_text()
  with pytest.raises(ValueError, match="width 9 instead of 8"):
    _run(config, whole)
  assert (whole / "report.json").read_text() == before


def test_bmn_reports_recall_of_proposals(films, tmp_path):
  _run(_config(films, "bmn", num_steps=4, eval_every=0), tmp_path / "run")
  report = json.loads((tmp_path / "run" / "report.json").read_text())
  assert next(iter(report)) == "AUC"
  assert {"AR@1", "AR@100", "mAP@0.5"} <= report.keys()
  assert report["classes"].startswith("none: mAP is class-agnostic")
  assert load_detector(tmp_path / "run").class_names == ("segment",)


@pytest.fixture(scope="module")
def pair_films(tmp_path_factory):
  """The films as EPIC-Kitchens lists them, and logits of their windows."""
  folder = tmp_path_factory.mktemp("pairs") / "films"
  write_films(folder)
  write_pairs(folder)
  return folder


@pytest.mark.slow
def test_verbs_and_nouns_of_windows_make_actions(pair_films, tmp_path):
  scores = str(pair_films / "logits")
  config = _config(
    pair_films,
    "bmn",
    num_steps=4,
    eval_every=0,
    **{
      "data.annotations": "ek100",
      "data.root": str(pair_films),
      "eval.class_scores": scores,
    },
  )
  _run(config, tmp_path / "run")
  report = json.loads((tmp_path / "run" / "report.json").read_text())
  assert next(iter(report)) == "AUC"
  assert {"mAP", "verb/mAP@0.3", "noun/mAP"} <= report.keys()
  assert report["per_class"].keys() == {"verb", "noun"}
  assert report["classes"] == f"by the class scores {scores}"
  found = json.loads((tmp_path / "run" / "detections.json").read_text())["results"]
  one = found["film_3"][0]
  assert (one["verb"], one["noun"]) in {("jump", "cup"), ("run", "cup")}
  for task in ("verb", "noun"):
    assert (tmp_path / "run" / f"average_precision_{task}.png").exists()


@pytest.mark.slow
def test_weights_of_a_detector_keep_the_classes_that_have_their_names(
  whole, films, tmp_path, capsys
):
  """The run knows "jump" and "run"; the new one "fall" and, second, "jump"."""
  renamed = tmp_path / "films"
  write_films(renamed)
  file = renamed / "segments.csv"
  file.write_text(
    file.read_text()
    .replace(",jump,", ",xjump,")
    .replace(",run,", ",fall,")
    .replace(",xjump,", ",jump,")
  )
  config = _config(renamed, "actionformer", num_steps=1, eval_every=0)
  config.init_from = str(whole)
  config.optim.lr = 0.0
  config.optim.warmup_steps = 0
  _run(config, tmp_path / "run")
  assert "1 of 2 classes by name" in capsys.readouterr().out
  before, after = map(load_detector, (whole, tmp_path / "run"))
  assert after.class_names == ("fall", "jump")
  leaves = {
    one: traverse_util.flatten_dict(detector.variables["params"], sep="/")
    for one, detector in (("before", before), ("after", after))
  }
  name = "classification/last/kernel"
  np.testing.assert_allclose(
    leaves["after"][name][..., 1], leaves["before"][name][..., 0], rtol=1e-5
  )
  assert np.abs(leaves["after"][name][..., 0] - leaves["before"][name][..., 1]).max()


def test_a_refused_run_writes_nothing(films, tmp_path):
  config = _config(films, "actionformer", **{"data.features": str(tmp_path / "none")})
  with pytest.raises(FileNotFoundError, match="none is not there"):
    _run(config, tmp_path / "run")
  assert not (tmp_path / "run").exists()
