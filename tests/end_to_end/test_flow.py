"""A run on optical flow: trained, tested, combined with one of RGB, refused."""

import json

import numpy as np
import pytest

from temporal_jax import cli, evaluation, inference
from tests.support.videos import make_picture

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def flow_folder(tmp_path_factory):
  """Folders class/video of 8 pairs; only the sign of x tells the classes."""
  root = tmp_path_factory.mktemp("flow")
  rng = np.random.default_rng(0)
  for name, level in (("left", 90), ("right", 165)):
    for video in range(6):
      folder = root / name / str(video)
      folder.mkdir(parents=True)
      for pair in range(8):
        for part, mean in (("x", level), ("y", 127)):
          noise = rng.integers(-20, 20, (24, 32))
          picture = make_picture((mean + noise).astype(np.uint8))
          (folder / f"{pair:05d}_{part}.jpg").write_bytes(picture)
  return root


@pytest.fixture(scope="module")
def trained(run, flow_folder, tmp_path_factory):
  workdir = tmp_path_factory.mktemp("run")
  status, out, err = run(
    workdir,
    f"data.root={flow_folder}",
    "data.flow=5",
    "data.frames=*_x.jpg,*_y.jpg",
    "data.augment=multi_scale_crop|flip(keep_labels=True)|normalize",
    "data.short_side=20",
    "data.canvas=(20, 24)",
    "num_steps=40",
    "eval.num_clips=2",
    "eval.num_crops=3",
  )
  assert status == 0, err
  return workdir, out


def test_it_is_trained_and_tested_by_all_views(trained):
  workdir, _ = trained
  model = json.loads((workdir / "model.json").read_text())
  assert model["clip_shape"] == [3, 16, 16, 10]
  assert model["pixels"] == {"mean": [0.5], "std": [0.226]}
  scores = evaluation.load_scores(workdir / "scores.npz")
  assert scores.predictions.views.shape[1] == 6
  assert (workdir / "predictions.png").exists()
  stem = inference.load_model(workdir).variables["params"]["stem_conv"]
  assert stem["kernel"].shape[-2] == 10


def test_scores_are_averaged_with_another_run(trained, tmp_path, capsys):
  workdir, _ = trained
  out = tmp_path / "both.npz"
  assert not cli.main(["scores", "combine", str(out), str(workdir), str(workdir)])
  assert "together: top1" in capsys.readouterr().out


def test_a_test_set_is_scored(trained, flow_folder, tmp_path, capsys):
  workdir, _ = trained
  lists = tmp_path / "lists"
  lists.mkdir()
  (lists / "something-something-v1-test.csv").write_text("left/0\nright/0\n")
  (lists / "something-something-v1-labels.csv").write_text("right\nleft\n")
  out = tmp_path / "test.npz"
  words = [str(out), "--annotations=ssv1", f"--root={lists}", "--model", str(workdir)]
  assert cli.main(["testset", *words, "--videos", str(flow_folder)]) == 0
  assert capsys.readouterr().out == f"2 of 2 videos: {out}\n"
  scores = evaluation.load_scores(out)
  assert scores.class_names == ("right", "left")
  own = evaluation.load_scores(workdir / "scores.npz")
  assert own.protocol == scores.protocol


def test_one_of_rgb_does_not_begin_from_it(run, trained, video_folder, tmp_path):
  workdir, _ = trained
  status, _, err = run(
    tmp_path / "rgb", f"data.root={video_folder}", f"init_from={workdir}"
  )
  assert status == 1
  assert "for frames of 10 channels, the run's have 3" in err


def test_clips_are_drawn(run, flow_folder, tmp_path):
  file = tmp_path / "clips.png"
  flags = (f"data.root={flow_folder}", "data.flow=5")
  status, _, err = run(tmp_path / "unused", *flags, more=(f"--draw={file}",))
  assert status == 0, err
  assert file.exists()


@pytest.mark.parametrize(
  "arguments",
  [
    ("predict", "{video}"),
    ("extract", "{video}", "{out}"),
    ("watch", "{video}"),
    ("visualize", "{video}", "--kind=gradcam", "--png={out}/x.png"),
  ],
)
def test_videos_of_rgb_are_refused_in_one_sentence(
  trained, video_folder, tmp_path, arguments, capsys
):
  workdir, _ = trained
  video = next(video_folder.glob("*/*"))
  words = [a.format(video=video, out=tmp_path) for a in arguments]
  assert cli.main([*words, "--model", str(workdir)]) == 2
  (sentence,) = capsys.readouterr().err.splitlines()
  assert "optical flow" in sentence
