"""`temporal-jax localize`: what it prints, writes and refuses."""

import csv
import json
import zipfile

import numpy as np
import pytest

from temporal_jax import evaluation
from temporal_jax.cli import main
from tests.support.tiny_localizer import save_detector_for, save_pair
from tests.support.tiny_predictor import write_noise


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
  return save_pair(tmp_path_factory.mktemp("pair"))


@pytest.fixture(scope="module")
def video(tmp_path_factory):
  return write_noise(tmp_path_factory.mktemp("videos") / "film.mp4", 60, (24, 32))


def _localize(pair, *words):
  network, detector = pair
  return main(
    ["localize", *map(str, words), "--model", str(detector), "--features", str(network)]
  )


def test_a_video_is_shown_and_written(pair, video, tmp_path, capsys):
  outs = {name: tmp_path / f"out.{name}" for name in ("json", "csv", "srt", "png")}
  words = [word for name, out in outs.items() for word in (f"--{name}", out)]
  assert _localize(pair, video, *words, "--top", 5) == 0
  out, error = capsys.readouterr()
  assert error == ""
  head, columns, *rows = out.splitlines()
  assert head == f"{video}: 5 segments in 0:06.0"
  assert columns.split() == ["start", "end", "score", "class"]
  assert len(rows) == 5
  assert rows == sorted(rows)
  assert all(len(row) <= 80 for row in rows)
  (film,) = json.loads(outs["json"].read_text())
  assert len(film["segments"]) == 5
  table = list(csv.DictReader(outs["csv"].read_text().splitlines()))
  assert [row["label"] for row in table] == [one["label"] for one in film["segments"]]
  assert "-->" in outs["srt"].read_text()
  assert outs["png"].read_bytes()[:4] == b"\x89PNG"


def test_a_threshold_may_leave_nothing(pair, video, capsys):
  assert _localize(pair, video, "--threshold", 1) == 0
  assert capsys.readouterr().out == f"{video}: no segments in 0:06.0\n"


def test_bad_files_are_named(pair, video, tmp_path, capsys):
  bad = tmp_path / "bad.npz"
  bad.write_bytes(b"no features")
  assert _localize(pair, bad, video, "--json", tmp_path / "out.json") == 1
  out, error = capsys.readouterr()
  assert error.startswith(f"bad: {bad}: ")
  assert len(error.splitlines()) == 1
  assert "segments in" in out
  records = json.loads((tmp_path / "out.json").read_text())
  assert [bool(one["error"]) for one in records] == [True, False]


def test_hostile_features_are_named_in_a_line(pair, tmp_path, capsys):
  """Sizes are those of headers, which lie; nothing of them is allocated."""
  good = {"stride": 2, "window": 4, "fps": 10.0}
  header = {"descr": "<f4", "fortran_order": False, "shape": (10**9, 8)}
  huge, objects, long = (tmp_path / f"{name}.npz" for name in ("huge", "obj", "long"))
  np.savez(huge, **good)
  with zipfile.ZipFile(huge, "a") as archive, archive.open("features.npy", "w") as out:
    np.lib.format.write_array_header_1_0(out, header)
  np.savez(objects, features=np.array([{}, print], object), **good)
  np.savez_compressed(long, features=np.zeros((2**17 + 1, 8), np.float32), **good)
  text = tmp_path / "text.h5"
  text.write_text("no features")
  files = [huge, objects, long, text]
  assert _localize(pair, *files) == 1
  lines = capsys.readouterr().err.splitlines()
  assert len(lines) == len(files)
  for line, file in zip(lines, files, strict=True):
    assert line.startswith(f"bad: {file}: "), line
    assert len(line) < 600


@pytest.mark.parametrize(
  ("words", "message"),
  [
    (["--threshold", 2], "--threshold must be a number in [0, 1], got 2.0"),
    (["--fps", 0], "--fps must be a number in [0.001, 10000.0], got 0.0"),
    (["--fps", "nan"], "--fps must be a number in [0.001, 10000.0], got nan"),
    (["--top", 0], "--top must be an integer of at least 1, got 0"),
    (["--png", "no/folder.png"], "no is no folder to write to"),
    (["--json", "a.out", "--csv", "a.out"], "cannot be both --json and --csv"),
    (["second.mp4", "--srt", "a.srt"], "--srt is of one video, got 2 to read"),
    (["--batch-size", 0], "--batch-size must be an integer of at least 1, got 0"),
  ],
)
def test_what_cannot_be_is_refused(pair, video, words, message, capsys):
  assert _localize(pair, video, *words) == 2
  error = capsys.readouterr().err
  assert message in error
  assert len(error.splitlines()) == 1


def test_the_video_is_not_written_over(pair, video, capsys):
  assert _localize(pair, video, "--csv", video) == 2
  assert "cannot be both a file that is read and --csv" in capsys.readouterr().err


def test_pickles_and_bundled_networks_are_explained(pair, tmp_path, capsys):
  pickle = tmp_path / "p.pkl"
  pickle.write_bytes(b"")
  assert _localize(pair, pickle) == 1
  error = capsys.readouterr().err
  assert "can run code and are not read: save their array by numpy.save" in error
  assert main(["localize", str(pickle), "--model", "camera_motion"]) == 2
  error = capsys.readouterr().err
  assert "classifies clips" in error
  assert "give the folder of a detector" in error


def test_batch_size_is_checked_with_features_too(pair, tmp_path, capsys):
  assert _localize(pair, tmp_path / "film.npz", "--batch-size", 0) == 2
  assert "--batch-size must be" in capsys.readouterr().err


def test_a_classifier_is_no_detector(pair, video, capsys):
  network, _ = pair
  assert main(["localize", video, "--model", str(network)]) == 2
  error = capsys.readouterr().err
  assert error.startswith("temporal-jax localize: ")
  assert "`temporal-jax predict`" in error
  assert main(["predict", video, "--model", str(pair[1])]) == 2
  assert "`temporal-jax localize`" in capsys.readouterr().err


def test_class_scores_name_segments_that_have_no_class(pair, tmp_path, capsys):
  network, _ = pair
  detector = save_detector_for(network, tmp_path / "bmn", "proposals")
  video = write_noise(tmp_path / "film.mp4", 60, (24, 32))
  other = write_noise(tmp_path / "other.mp4", 60, (24, 32))
  file, out = tmp_path / "scores.npz", tmp_path / "out.json"
  predictions = evaluation.Predictions(("film",), None, np.array([[0.25, 0.75]]))
  evaluation.save_scores(file, predictions, ("jump", "run"), protocol={})
  words = ["--class-scores", file, "--json", out, "--threshold", 0]
  assert _localize((network, detector), video, other, *words) == 1
  assert "1 of 1 films have no class scores" in capsys.readouterr().err
  film, second = json.loads(out.read_text())
  assert second["segments"] == []
  assert {one["label"] for one in film["segments"]} == {"run"}
  assert _localize((network, detector), video, "--json", out, "--threshold", 0) == 0
  (plain,) = json.loads(out.read_text())
  assert {one["label"] for one in plain["segments"]} == {"segment"}
  for one, labelled in zip(plain["segments"], film["segments"], strict=True):
    assert labelled["score"] == pytest.approx(0.75 * one["score"], abs=2e-6)
  assert _localize(pair, video, "--class-scores", file) == 2
  assert "this one has 3 classes" in capsys.readouterr().err
