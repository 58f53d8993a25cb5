import json
import shutil

import matplotlib.image
import pytest

from temporal_jax.cli import main
from temporal_jax.data.listing.find_videos import file_sources
from temporal_jax.display import tables
from tests.support.tiny_predictor import NAMES, save_tiny, write_noise


@pytest.fixture(scope="module")
def model(tmp_path_factory):
  return save_tiny(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
  """Two videos of each class, and one that is no video."""
  root = tmp_path_factory.mktemp("data") / "videos"
  for number, name in enumerate(NAMES):
    (root / name).mkdir(parents=True)
    for i in range(2):
      write_noise(root / name / f"{i}.mp4", 4 + 2 * number + i, (16, 24))
  (root / NAMES[0] / "broken.mp4").write_bytes(b"no video")
  return root


def _words(model, folder, *more):
  return ["evaluate", "--model", str(model), "--data", str(folder), *map(str, more)]


def test_videos_are_scored_and_reported(model, folder, tmp_path, capsys, monkeypatch):
  monkeypatch.setattr(tables, "output_width", lambda: 80)
  out = tmp_path / "reports" / "out"
  assert main(_words(model, folder, "--views", "1x1", "--out", out)) == 1
  shown = capsys.readouterr()
  assert "bad: " in shown.err
  assert "broken.mp4: it is damaged" in shown.err
  assert "1 x 1 views" in shown.err
  assert "note: fewer than 5 test videos: 3 of 3 classes" in shown.err
  head, intervals, top1, *others, calibration, titles = shown.out.splitlines()[:7]
  rows = shown.out.splitlines()[7:]
  report = json.loads((out / "report.json").read_text())
  assert head == "6 clips scored, 6 decoded, 7 listed."
  assert intervals.split() == ["accuracy", "95%", "confidence", "interval"]
  low, high = report["intervals"]["values"]["top1"]
  assert top1.split()[:2] == ["top-1", f"{report['top1']:.1%}"]
  assert top1.endswith(f" {low:.1%} to {high:.1%}")
  assert [line.split("  ")[0] for line in others] == ["class mean", "mAP"]
  assert f"calibration error {report['calibration']['ece']:.1%}." in calibration
  assert titles.split() == ["class", "clips", "top-1", "taken", "for"]
  assert all(len(line) <= 80 for line in (titles, *rows[:3]))
  accuracy = [report["per_class"][name]["top1"] for name in NAMES]
  first = min(NAMES, key=lambda name: report["per_class"][name]["top1"])
  assert rows[0].startswith(first)
  for name, value in zip(NAMES, accuracy, strict=True):
    (row,) = (row for row in rows if row.startswith(name))
    assert row[len(name) :].split()[:2] == ["2", f"{value:.1%}"]
  assert rows[3].startswith(f"{out}: ")
  written = {file.name for file in out.iterdir()}
  pictures = {"confusion.png", "calibration.png"}
  assert {"report.json", "scores.npz", *pictures} <= written
  assert matplotlib.image.imread(out / "misclassified.png").std() > 0.02
  assert [*out.parent.iterdir()] == [out]


def test_a_home_folder_is_found(model, folder, tmp_path, capsys, monkeypatch):
  monkeypatch.setenv("HOME", str(tmp_path))
  words = _words(model, folder, "--views", "1x1", "--out=~/tested")
  assert main(words) == 1  # A video is bad.
  assert f"{tmp_path / 'tested'}: " in capsys.readouterr().out
  assert main(words) == 2
  assert f"{tmp_path / 'tested'} exists already" in capsys.readouterr().err


def test_the_list_that_a_run_was_trained_on_is_named(model, folder, tmp_path, capsys):
  run = shutil.copytree(model, tmp_path / "run")
  sources = file_sources(folder, 0.2)
  lists = {
    split: {"videos": len(source), "sha256": source.fingerprint()}
    for split, source in sources.items()
  }
  description = json.loads((run / "model.json").read_text())
  (run / "model.json").write_text(json.dumps({**description, "lists": lists}))
  main(_words(run, folder))
  shown = capsys.readouterr()
  assert "note: the network was trained on 4 videos of" in shown.err
  assert "3 listed" in shown.out
  assert main(_words(run, folder, "--split", "train", "--calibrate")) == 2
  assert "needs videos that the network was not trained on" in capsys.readouterr().err
  main(_words(run, folder, "--split", "train"))
  shown = capsys.readouterr()
  assert "note: the network was trained on these videos" in shown.err
  assert "4 listed" in shown.out
  assert main(_words(run, folder, "--split", "all", "--calibrate")) == 2
  assert "it was on 4 of these" in capsys.readouterr().err


def test_the_temperature_is_stored_with_the_network(
  model, folder, tmp_path, capsys, monkeypatch
):
  run = shutil.copytree(model, tmp_path / "run")
  given = []

  def fit(scores, labels, *, fusion):
    given.append((scores.shape, labels.shape, fusion))
    return 1.5

  monkeypatch.setattr("temporal_jax.evaluation.fit_temperature", fit)
  words = _words(run, folder, "--calibrate")
  assert main(words) == 1  # A video is bad.
  assert f"temperature of {run}: 1.500" in capsys.readouterr().out
  assert given == [((6, 6, 3), (6,), "softmax")]
  main(words)  # The scores have the first one.
  assert json.loads((run / "model.json").read_text())["temperature"] == 2.25
  before = (run / "model.json").read_bytes()
  monkeypatch.undo()
  (tmp_path / "one").mkdir()
  shutil.copytree(folder / NAMES[1], tmp_path / "one" / NAMES[1])
  capsys.readouterr()
  # All clips are of the class that the network always finds.
  assert (
    main(_words(run, tmp_path / "one", "--calibrate", "--out", tmp_path / "x")) == 2
  )
  assert "no temperature" in capsys.readouterr().err
  assert main(_words("camera_motion", folder, "--calibrate")) == 2
  assert "camera_motion is no folder" in capsys.readouterr().err
  assert (run / "model.json").read_bytes() == before
  assert not (tmp_path / "x").exists()


def test_a_refused_command_writes_nothing(model, folder, tmp_path, capsys):
  other = shutil.copytree(folder, tmp_path / "other")
  (other / NAMES[0]).rename(other / "diving")
  out = tmp_path / "out"
  assert main(_words(model, other, "--out", out)) == 2
  assert "was not trained on, ['diving']" in capsys.readouterr().err
  assert main(_words(model, folder, "--views", "2x2", "--out", out)) == 2
  assert main(_words(model, folder, "--split", "val", "--out", out)) == 2
  assert not out.exists()
  assert main(_words(model, folder, "--out", tmp_path)) == 2
  assert "exists already: give a new folder" in capsys.readouterr().err
  assert [*tmp_path.iterdir()] == [other]
  for name in NAMES:  # None of the videos can be read.
    for file in folder.glob(f"{name}/*.mp4"):
      (tmp_path / "bad" / name).mkdir(parents=True, exist_ok=True)
      (tmp_path / "bad" / name / file.name).write_bytes(b"no video")
  assert main(_words(model, tmp_path / "bad", "--out", out)) == 1
  assert "none of the 7 videos could be read" in capsys.readouterr().err
  assert not out.exists()


def test_a_folder_that_cannot_be_finished_is_not_left(
  model, folder, tmp_path, monkeypatch
):
  def fail(directory, found):
    (directory / "report.json").write_text("{")
    raise KeyboardInterrupt

  monkeypatch.setattr("temporal_jax.inference.write_evaluation", fail)
  assert main(_words(model, folder, "--out", tmp_path / "out")) == 130
  assert not [*tmp_path.iterdir()]
