"""Numbers of classes: heads follow the names of their classes."""

import hashlib
import json
import shutil

import jax
import numpy as np
import pytest

from temporal_jax import evaluation, train, training
from temporal_jax.data.video.encoding import encode_mp4
from tests.conftest import make_frames
from tests.support import tiny_config

NAMES = ("fall", "rise", "still")


@pytest.fixture(autouse=True)
def _standard_promotion():
  with jax.numpy_dtype_promotion("standard"):
    yield


def _train(workdir, root, capsys, **changes):
  """Runs train.py in this process; returns what it prints."""
  config = tiny_config.get_config()
  config.data.root = str(root)
  config.num_steps, config.optim.warmup_steps, config.batch_size = 3, 0, 8
  config.optim.lr, config.eval_every = 3e-2, 0
  config.update_from_flattened_dict(changes)
  stop = training.StopRequest()
  capsys.readouterr()
  train.run(config, workdir, stop)
  return capsys.readouterr().out


@pytest.fixture(scope="module")
def videos(tmp_path_factory, video_folder):
  """Three classes in folders."""
  root = tmp_path_factory.mktemp("classes") / "videos"
  shutil.copytree(video_folder, root)
  (root / "still").mkdir()
  for i in range(6):
    frames = make_frames(1, start=2 * i).repeat(10, axis=0)
    (root / "still" / f"{i}.mp4").write_bytes(encode_mp4(frames, fps=10))
  return root


@pytest.fixture(scope="module")
def trained(videos, tmp_path_factory):
  """A run of a few steps on the three classes."""
  workdir = tmp_path_factory.mktemp("trained")

  class Silent:
    def readouterr(self):
      return type("Captured", (), {"out": ""})

  with jax.numpy_dtype_promotion("standard"):
    _train(workdir, videos, Silent())
  return workdir


@pytest.fixture
def reordered(videos, trained, tmp_path):
  """Lists of the same videos and splits whose classes are numbered else."""
  order = ("still", "fall", "rise")
  lines = [f"{i} {name}" for i, name in enumerate(order, start=1)]
  (tmp_path / "classInd.txt").write_text("\n".join(lines))
  tested = evaluation.load_scores(trained / "scores.npz").predictions.ids
  parts = {"train": [], "test": []}
  for file in sorted(videos.glob("*/*")):
    split = "test" if str(file) in tested else "train"
    parts[split].append(f"{file.parent.name}/{file.name} 1")
  for split, listed in parts.items():
    (tmp_path / f"{split}list01.txt").write_text("\n".join(listed))
  return {
    "root": tmp_path,
    "data.annotations": "ucf101_1",
    "data.videos": str(videos),
  }


def _by_name(workdir, root):
  """Returns class names, and probabilities in alphabetical order by video."""
  saved = evaluation.load_scores(workdir / "scores.npz")
  order = np.argsort(saved.class_names)
  names = [name.removeprefix(f"{root}/") for name in saved.predictions.ids]
  return saved.class_names, dict(
    zip(names, saved.predictions.scores[:, order], strict=True)
  )


def _assert_same_scores(workdir, trained, videos):
  classes, got = _by_name(workdir, videos)
  before, want = _by_name(trained, videos)
  assert before == NAMES
  assert got.keys() == want.keys()
  for name, scores in want.items():
    np.testing.assert_allclose(got[name], scores, rtol=1e-4, atol=1e-6)
  reports = [
    json.loads((folder / "report.json").read_text()) for folder in (workdir, trained)
  ]
  assert reports[0]["top1"] == reports[1]["top1"]
  return classes


def test_a_head_is_reordered_by_name(reordered, trained, videos, tmp_path, capsys):
  out = _train(
    tmp_path / "run",
    capsys=capsys,
    **reordered,
    **{
      "init_from": str(trained),
      "num_steps": 1,
      "optim.lr": 0.0,  # Weights stay what they were.
      "optim.ema_decay": 0.0,
      "model.freeze_batch_norm": True,
    },
  )
  assert (
    f"start: weights of {trained}; new: nothing; head: 3 classes reordered by name."
  ) in out
  classes = _assert_same_scores(tmp_path / "run", trained, videos)
  assert classes == ("still", "fall", "rise")


def test_a_run_keeps_its_own_order(reordered, trained, videos, tmp_path, capsys):
  workdir = shutil.copytree(trained, tmp_path / "copy")
  out = _train(workdir, capsys=capsys, **reordered)
  assert "nothing is left to train" in out
  assert "the training list changed: 12 videos, before 12" in out
  assert _assert_same_scores(workdir, trained, videos) == NAMES


def _contents(folder):
  return {
    path.relative_to(folder): hashlib.sha256(path.read_bytes()).hexdigest()
    for path in folder.rglob("*")
    if path.is_file()
  }


@pytest.mark.parametrize(
  ("change", "message"),
  [
    (("rename", "rise", "climb"), r"new \['climb'\], gone \['rise'\]"),
    (("add", "still", "stop"), r"with: new \['stop'\]\."),
    (("remove", "still", ""), r"with: gone \['still'\]\."),
  ],
)
def test_other_class_folders_are_refused_before_anything_is_written(
  change, message, trained, videos, tmp_path, capsys
):
  workdir = shutil.copytree(trained, tmp_path / "copy")
  root = shutil.copytree(videos, tmp_path / "videos")
  kind, one, other = change
  if kind == "rename":
    (root / one).rename(root / other)
  elif kind == "add":
    shutil.copytree(root / one, root / other)
  else:
    shutil.rmtree(root / one)
  before = _contents(workdir)
  with pytest.raises(ValueError, match=message):
    _train(workdir, root, capsys, num_steps=9)
  assert _contents(workdir) == before


@pytest.mark.slow
def test_a_finished_run_is_not_tested_with_another_config(
  trained, videos, tmp_path, capsys
):
  workdir = shutil.copytree(trained, tmp_path / "copy")
  before = _contents(workdir)
  with pytest.raises(ValueError, match=r"sampling was segments and is now dense"):
    _train(workdir, videos, capsys, **{"data.sampling": "dense"})
  assert _contents(workdir) == before
  (workdir / "report.json").unlink()
  (workdir / "report.json").mkdir()
  with pytest.raises(ValueError, match=r"report.json must be a file"):
    _train(workdir, videos, capsys)


def test_another_network_is_refused_before_anything_is_written(
  trained, videos, tmp_path, capsys
):
  workdir = shutil.copytree(trained, tmp_path / "copy")
  before = _contents(workdir)
  with pytest.raises(ValueError, match="is not of this model and optimizer"):
    _train(workdir, videos, capsys, **{"model.overrides.width": 8})
  assert _contents(workdir) == before
