import csv
import json

import numpy as np
import pytest

from temporal_jax.cli import main
from temporal_jax.data.views.eval_protocol import EvalProtocol
from tests.conftest import make_frames
from tests.support.tiny_predictor import NAMES, save_tiny
from tests.support.videos import WHOLE, blank_packets, make_video

OPTIONS = WHOLE | {"g": "8", "bf": "0"}


@pytest.fixture(scope="module")
def network(tmp_path_factory):
  directory = tmp_path_factory.mktemp("network") / "model"
  return save_tiny(directory, EvalProtocol(num_frames=4, crop_size=16, short_side=16))


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
  folder = tmp_path_factory.mktemp("videos")
  noise = np.random.default_rng(0).integers(0, 40, (30, 32, 32, 3), np.uint8)
  good = make_video(make_frames(30) // 2 + noise, options=OPTIONS)
  (folder / "good.mp4").write_bytes(good)
  (folder / "damaged.mp4").write_bytes(blank_packets(good, {16, 17}))
  (folder / "dead.mp4").write_bytes(blank_packets(good, set(range(30))))
  (folder / "cut.mp4").write_bytes(good[: len(good) // 2])
  return folder


def _watch(file, network, *words):
  return main(["watch", str(file), "--model", str(network), *words])


def _outputs(folder):
  files = {form: folder / f"o.{form}" for form in ("json", "csv", "srt", "png")}
  words = [word for form, f in files.items() for word in (f"--{form}", str(f))]
  return files, words


def test_all_files_are_written(videos, network, tmp_path, capsys):
  files, words = _outputs(tmp_path)
  words += ["--topk", "2", "--stride", "3"]
  assert _watch(videos / "good.mp4", network, *words) == 0
  out, error = capsys.readouterr()
  names = ", ".join(str(file) for file in files.values())
  assert f"good.mp4: 10 windows of 0:01.0. {names}\n" in out
  assert error == ""
  spans = json.loads(files["json"].read_text())
  assert [one["start"] for one in spans] == pytest.approx(
    [i / 30 for i in (*range(0, 27, 3), 26)], abs=1e-6
  )
  assert spans[-1]["stop"] == pytest.approx(1)
  for one in spans:
    (first, p), (second, q) = (one.values() for one in one["predictions"])
    assert {first, second} < set(NAMES)
    assert 1 >= p >= q >= 0
  rows = list(csv.DictReader(files["csv"].read_text().splitlines()))
  assert [row["label"] for row in rows[::2]] == [
    one["predictions"][0]["label"] for one in spans
  ]
  assert " --> 00:00:01,000" in files["srt"].read_text()
  assert files["png"].read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_without_files_the_windows_are_listed(videos, network, capsys):
  assert _watch(videos / "good.mp4", network, "--rate", "10") == 0
  header, *lines = capsys.readouterr().out.splitlines()
  assert header.split() == ["start", "stop", "classes"]
  assert len(lines) == 7  # For 10 frames, 4 each, one after the other.
  assert lines[-1].split()[:2] == ["0:00.60", "0:01.00"]
  assert all("% " in line for line in lines)


def test_what_comes_before_damage_is_written(videos, network, tmp_path, capsys):
  files, words = _outputs(tmp_path)
  words += ["--stride", "4"]
  assert _watch(videos / "damaged.mp4", network, *words) == 1
  error = capsys.readouterr().err
  assert f"temporal-jax watch: {videos / 'damaged.mp4'}: " in error
  assert "; 4 of 8 windows come before." in error
  assert len(json.loads(files["json"].read_text())) == 4
  assert len(files["csv"].read_text().splitlines()) == 5
  assert files["srt"].read_text().startswith("1\n00:00:00,000 --> ")
  assert files["png"].stat().st_size > 5_000
  for file in files.values():
    file.unlink()
  assert _watch(videos / "dead.mp4", network, *words) == 1
  assert "; 0 of 6 windows come before." in capsys.readouterr().err
  assert json.loads(files["json"].read_text()) == []
  assert not files["png"].exists()


@pytest.mark.parametrize(
  ("file", "words", "message"),
  [
    ("none.mp4", [], "none.mp4: the file does not exist."),
    ("cut.mp4", [], "cut.mp4: the file is cut off"),
    ("good.mp4", ["--window", "3"], "window of 3 frames is shorter than"),
    ("good.mp4", ["--stride", "0"], "stride must be an integer of at least 1"),
    ("good.mp4", ["--rate", "-1"], "rate must be a number in"),
    ("good.mp4", ["--topk", "0"], "topk must be an integer of at least 1"),
    ("good.mp4", ["--batch-size", "0"], "batch_size must be at least 1"),
    ("good.mp4", ["--task", "verb"], "resnet18 has a single task"),
    ("good.mp4", ["--model", "/none"], "there is no file or folder /none"),
    ("good.mp4", ["--png", "/none/out.png"], "/none is no folder to write"),
    ("good.mp4", ["--csv", "/"], "/ is a folder"),
    ("good.mp4", ["--csv", "o", "--srt", "o"], "o cannot be both csv and srt"),
  ],
)
def test_what_cannot_be_run_ends_with_2(videos, network, capsys, file, words, message):
  assert _watch(videos / file, network, *words) == 2
  assert message in capsys.readouterr().err


def test_the_video_is_not_written_over(videos, network, capsys):
  file = videos / "good.mp4"
  before = file.read_bytes()
  assert _watch(file, network, "--json", str(file)) == 2
  assert "both a file that is read and json" in capsys.readouterr().err
  assert file.read_bytes() == before


def test_a_record_of_a_run_is_not_written_over(videos, network, tmp_path, capsys):
  for name in ("model.json", "report.json"):
    (tmp_path / name).write_text("{}")
  report = tmp_path / "report.json"
  assert _watch(videos / "good.mp4", network, "--json", str(report)) == 2
  assert f"{report} is a record of the run" in capsys.readouterr().err
  assert report.read_text() == "{}"
