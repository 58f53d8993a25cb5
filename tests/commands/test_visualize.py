import matplotlib.image
import numpy as np
import pytest

from temporal_jax import inference
from temporal_jax.cli import main
from temporal_jax.commands import visualize
from temporal_jax.data.video.decoding import VideoReader
from temporal_jax.inference.visualize import KINDS
from tests.support import saved_video_text
from tests.support.visualized_networks import RESNET, make_named


@pytest.fixture(scope="module")
def directories(tmp_path_factory):
  """Two small networks, as they are saved."""
  root, found = tmp_path_factory.mktemp("networks"), {}
  for name, temporal in (("plain", "none"), ("adaptive", "adaptive")):
    saved = make_named("resnet18", temporal=temporal, **RESNET)
    description = {
      "model": "resnet18",
      "overrides": {"temporal": temporal, **RESNET},
      "num_classes": 3,
      "clip_shape": saved.clip_shape,
      "class_names": saved.class_names,
      "pixels": saved.pixels,
    }
    inference.save_model(root / name, saved.variables, description)
    found[name] = str(root / name)
  return found


@pytest.fixture
def run(video_folder, directories, tmp_path):
  """Returns a function that runs the command on a video with networks."""
  video = str(video_folder / "rise" / "0.mp4")

  def run(kind, *words, networks=("plain",)):
    for name in networks:
      words = (*words, "--model", directories[name])
    png = str(tmp_path / "out.png")
    return main(["visualize", video, "--kind", kind, "--png", png, *words])

  return run


def test_grad_cam_as_picture_and_video(run, tmp_path, capsys):
  mp4 = tmp_path / "out.mp4"
  assert run("gradcam", "--mp4", str(mp4), "--label", "waving") == 0
  out = capsys.readouterr().out
  assert "plain: Grad-CAM of waving (" in out
  assert "at stage1_block1" in out
  with VideoReader(mp4) as reader:
    # The middles of four segments of 10 frames are seen.
    assert f"video of {reader.num_frames} frames" in out
    assert reader.read([0]).shape == (1, 16, 32, 3)
  assert matplotlib.image.imread(tmp_path / "out.png").shape[2] == 4


def test_features_of_several_networks(run, tmp_path, capsys):
  assert run("features", networks=("plain", "adaptive")) == 0
  out = capsys.readouterr().out
  for name in ("plain", "adaptive"):
    assert f"{name}: mean |activation| of stage1_block1" in out
  assert matplotlib.image.imread(tmp_path / "out.png").shape[0] > 500


def test_calibration_as_picture(run, tmp_path, capsys):
  assert run("calibration", networks=("adaptive",)) == 0
  out = capsys.readouterr().out
  assert "stage1_block1/conv1: mean |factor - 1| " in out
  assert np.ptp(matplotlib.image.imread(tmp_path / "out.png")) == 1


@pytest.mark.parametrize("words", [["--mp4"], ["--labels", "a", "--png"]])
def test_the_video_is_not_written_over(run, video_folder, words, capsys):
  video = video_folder / "rise" / "0.mp4"
  before = video.read_bytes()
  assert run("gradcam", *words, str(video)) == 2
  assert f"{video} cannot be both a file that is read" in capsys.readouterr().err
  assert video.read_bytes() == before


def test_what_cannot_be_drawn_is_said(run, capsys):
  for words, networks, message in (
    (["masks"], ["plain"], "has no masks of alignment (ILA); it offers"),
    (["gradcam", "--layer", "stage1_blok1"], ["plain"], "did you mean 'stage1_block1'"),
    (["gradcam", "--label", "wafing"], ["plain"], "did you mean 'waving'"),
    (["cues", "--layer", "stage1"], ["plain"], "cues takes no layer"),
    (["rollout", "--label", "waving"], ["plain"], "rollout takes no label"),
    (["calibration"], ["plain", "adaptive"], "drawn of one network"),
    (["calibration", "--mp4", "x.mp4"], ["adaptive"], "without an mp4"),
    (["gradcam"], ["plain", "plain"], "a network is given twice"),
  ):
    assert run(*words, networks=networks) == 2
    assert message in capsys.readouterr().err


def test_kinds_are_those_there_are():
  assert visualize._KINDS == KINDS


def test_a_network_of_texts_needs_names_for_classes_only(
  video_folder, tmp_path, capsys
):
  saved = saved_video_text.make_saved()
  directory = tmp_path / "texts"
  unknown = {"num_classes": None, "class_names": None}
  inference.save_model(directory, saved.variables, {**saved.description, **unknown})
  video = str(video_folder / "rise" / "0.mp4")
  words = ["visualize", video, "--png", str(tmp_path / "out.png")]
  words += ["--model", str(directory)]
  assert main([*words, "--kind", "features"]) == 0
  assert "mean |activation|" in capsys.readouterr().out
  assert main([*words, "--kind", "gradcam"]) == 2
  assert "Give labels: --labels of the commands" in capsys.readouterr().err
  labels = ["--labels", "rising, falling", "--label", "falling"]
  assert main([*words, "--kind", "gradcam", *labels]) == 0
  assert "Grad-CAM of falling (" in capsys.readouterr().out
