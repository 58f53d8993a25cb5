"""configs/probe.py: a head on a frozen network, then used as any network."""

import json
import shutil

import jax
import numpy as np
import pytest

import temporal_jax
from temporal_jax import evaluation, inference, train, training
from temporal_jax.configs import probe
from temporal_jax.data.video.encoding import encode_mp4


@pytest.fixture(autouse=True)
def _standard_promotion():
  with jax.numpy_dtype_promotion("standard"):
    yield


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
  """Texture that moves to the left or to the right: six clips each."""
  root = tmp_path_factory.mktemp("moving")
  for name, step in (("left", 3), ("right", -3)):
    (root / name).mkdir()
    for number in range(6):
      rng = np.random.default_rng(number)
      texture = np.kron(rng.integers(0, 255, (16, 32, 3)), np.ones((4, 4, 1)))
      frames = [np.roll(texture, step * t, 1)[:, 32:96] for t in range(10)]
      video = encode_mp4(np.stack(frames).astype(np.uint8), fps=10)
      (root / name / f"{number}.mp4").write_bytes(video)
  return root


def _config(videos, cache, **changes):
  config = probe.get_config()
  config.data.root, config.init_from = str(videos), "camera_motion"
  config.probe.cache, config.data.num_threads = str(cache), 2
  config.data.test_fraction, config.probe.folds = 0.34, 2
  config.probe.num_steps = 5
  config.update_from_flattened_dict(changes)
  return config


def _run(workdir, *args, capsys, **changes):
  capsys.readouterr()
  train.run(_config(*args, **changes), workdir, training.StopRequest())
  return capsys.readouterr().out


@pytest.mark.parametrize("head", ["average", "attention"])
def test_the_network_answers_as_the_report_says(videos, tmp_path, capsys, head):
  workdir = tmp_path / "run"
  said = _run(workdir, videos, tmp_path, capsys=capsys, **{"probe.head": head})
  assert "8 training and 4 test videos; 12 computed" in said
  report = json.loads((workdir / "report.json").read_text())
  assert report["cross_validation"]["clips_scored"] == 8
  assert "cross-validation, 2 folds of training: " in said
  assert json.loads((workdir / "config.json").read_text())["init_from"] == (
    "camera_motion"  # Not its folder.
  )
  if head == "average":
    assert report["training"]["top1"] == 1
  scores = evaluation.load_scores(workdir / "scores.npz").predictions
  predictor = temporal_jax.Predictor(workdir)
  for name, row in zip(scores.ids, scores.scores, strict=True):
    np.testing.assert_allclose(predictor(name).probabilities, row, atol=1e-5)
  # Nothing before the head has changed.
  before = temporal_jax.from_pretrained("camera_motion").variables
  after = inference.load_model(workdir).variables
  for variables in (before, after):
    del variables["params"]["head"]
  jax.tree.map(np.testing.assert_array_equal, before, after)


def test_the_cache_is_used_and_knows_its_video_and_views(videos, tmp_path, capsys):
  copy, cache = tmp_path / "videos", tmp_path / "cache"
  shutil.copytree(videos, copy)
  _run(tmp_path / "1", copy, cache, capsys=capsys)
  moved = copy.rename(tmp_path / "moved")
  shutil.copy(moved / "left" / "0.mp4", moved / "left" / "1.mp4")
  said = _run(tmp_path / "2", moved, cache, capsys=capsys, **{"probe.folds": 9})
  assert "; 0 computed" in said
  assert "cross-validation, 4 folds of training (the rarest class has 4 vid" in said
  assert (tmp_path / "2" / "report.json").is_file()
  damaged = next(cache.rglob("*.npy"))
  damaged.write_bytes(damaged.read_bytes()[:-4])
  said = _run(tmp_path / "3", videos, cache, capsys=capsys)
  assert "; 1 computed" in said
  said = _run(
    tmp_path / "b", videos, cache, capsys=capsys, **{"model.dtype": "bfloat16"}
  )
  assert "; 12 computed" in said
  said = _run(tmp_path / "4", videos, cache, capsys=capsys, **{"eval.num_clips": 2})
  assert "; 12 computed" in said


def test_a_bad_video_is_named_and_left_out(videos, tmp_path, capsys):
  copy = tmp_path / "videos"
  shutil.copytree(videos, copy)
  (copy / "left" / "7.mp4").write_bytes(b"no video")
  _run(tmp_path / "run", copy, tmp_path, capsys=capsys)
  report = json.loads((tmp_path / "run" / "report.json").read_text())
  lines = [*tmp_path.glob("run/bad_*.jsonl")]
  assert "7.mp4" in "".join(file.read_text() for file in lines)
  assert report["clips_decoded"] in (4, 5)


@pytest.mark.parametrize(
  ("changes", "words"),
  [
    ({"init_from": ""}, "needs the weights"),
    ({"probe.head": "averag"}, "average"),
    ({"probe.folds": -1}, "probe.folds"),
    ({"probe.folds": 1}, "probe.folds must be 0, for no cross-validation, or 2"),
    ({"probe.strengths": (-1.0,)}, "probe.strengths"),
    ({"probe.lr": 0.0}, "probe.lr"),
    ({"optim.lr": 5.0, "adapters.rank": 2}, "no use for adapters.rank 2, optim.lr 5.0"),
    ({"probe.cache": "gs://b/x"}, "probe.cache gs://b/x must be on this machine"),
    ({"stop_after": 2}, "no use for stop_after 2"),
  ],
)
def test_a_wrong_value_is_named(videos, tmp_path, capsys, changes, words):
  with pytest.raises(ValueError, match=words):
    _run(tmp_path / "run", videos, tmp_path, capsys=capsys, **changes)
  assert not (tmp_path / "run" / "model.json").exists()


def test_a_finished_probe_is_not_replaced(videos, tmp_path, capsys):
  _run(tmp_path / "run", videos, tmp_path, capsys=capsys)
  with pytest.raises(ValueError, match="is a saved network"):
    _run(tmp_path / "run", videos, tmp_path, capsys=capsys)


def test_another_run_is_not_replaced(videos, tmp_path, capsys):
  (tmp_path / "run" / "checkpoints" / "2").mkdir(parents=True)
  (tmp_path / "run" / "report.json").write_text("{}")
  with pytest.raises(ValueError, match="checkpoints of another run"):
    _run(tmp_path / "run", videos, tmp_path, capsys=capsys)
  assert (tmp_path / "run" / "report.json").read_text() == "{}"


def test_steps_to_trace_are_refused(videos, tmp_path):
  with pytest.raises(ValueError, match="no steps to trace"):
    train.run(
      _config(videos, tmp_path), tmp_path / "run", training.StopRequest(), "1:2"
    )


@pytest.mark.parametrize("place", [".network", "."])
def test_a_killed_start_is_repeated(videos, tmp_path, capsys, place):
  (tmp_path / "run" / ".network").mkdir(parents=True)
  (tmp_path / "run" / place / "model.safetensors").touch()
  _run(tmp_path / "run", videos, tmp_path, capsys=capsys)
  assert inference.load_model(tmp_path / "run").class_names == ("left", "right")
  assert not (tmp_path / "run" / ".network").exists()
