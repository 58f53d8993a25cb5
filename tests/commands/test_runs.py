import json

import matplotlib.image
import pytest

from temporal_jax.cli import main
from temporal_jax.display import tables
from tests.support.run_records import CONFIG, write_run


@pytest.fixture
def runs(tmp_path):
  """Folders of five runs, the second with another learning rate."""
  folders = []
  for number in range(5):
    config = {**CONFIG, "optim": {"lr": 0.2 if number == 1 else 0.1, "betas": [0.9]}}
    folder = tmp_path / f"run_{number}" / "seed_0"
    folders.append(str(write_run(folder, best=0.5 + number / 100, config=config)))
  return folders


def test_runs_are_compared(runs, tmp_path, capsys, monkeypatch):
  monkeypatch.setattr(tables, "output_width", lambda: 80)
  picture, numbers = tmp_path / "curves.png", tmp_path / "runs.json"
  words = ["runs", *runs[:2], "--out", str(picture), "--json", str(numbers)]
  assert main(words) == 0
  shown = capsys.readouterr()
  lines = shown.out.splitlines()
  assert all(len(line) <= 80 for line in lines[:-1])
  assert [line.split() for line in lines[1:3]] == [
    [*f"run_{n} 40 7{n}.0% 5{n}.0% (20) 50.0% 0.1 0:01:00 0.704 0.074".split()]
    for n in range(2)
  ]
  assert [line.split() for line in lines[4:6]] == [
    ["config", "run_0", "run_1"],
    ["optim.lr", "0.1", "0.2"],
  ]
  assert (lines[3], lines[6], shown.err) == ("", str(picture), "")
  assert matplotlib.image.imread(picture).std() > 0.02
  written = json.loads(numbers.read_text())
  assert written["config"] == {"optim.lr": {"run_0": 0.1, "run_1": 0.2}}
  assert [run["best"] for run in written["runs"]] == [0.5, 0.51]


def test_of_many_runs_each_value_has_a_line(runs, capsys):
  assert main(["runs", *runs]) == 0
  lines = capsys.readouterr().out.splitlines()
  assert [line.split() for line in lines[-3:]] == [
    ["config", "value", "runs"],
    ["optim.lr", "0.1", "run_0,", "run_2,", "run_3,", "run_4"],
    ["0.2", "run_1"],
  ]


def test_intervals_of_the_final_tests_are_shown(runs, tmp_path, capsys):
  report = {"top1": 0.75, "intervals": {"values": {"top1": [0.5, 0.9]}}}
  file = tmp_path / "run_0" / "seed_0" / "report.json"
  file.write_text(json.dumps({**report, "clips_scored": 12}))
  assert main(["runs", *runs[:2]]) == 0
  lines = capsys.readouterr().out.splitlines()
  assert [" ".join(line.split()) for line in lines[4:6]] == [
    "final test 95% confidence interval clips",
    "run_0 70.0% 50.0% to 90.0% 12",
  ]


def test_damaged_records_are_named(runs, tmp_path, capsys):
  (tmp_path / "run_1" / "seed_0" / "metrics.jsonl").write_text("{}\n")
  assert main(["runs", *runs[:2]]) == 1
  shown = capsys.readouterr()
  assert shown.err.startswith("bad: run_1: ")
  assert "line 1 is damaged" in shown.err
  assert shown.out.splitlines()[2].split()[:3] == ["run_1", "-", "-"]


def test_a_refused_comparison_writes_nothing(runs, tmp_path, capsys):
  before = sorted(tmp_path.rglob("*"))
  out = str(tmp_path / "x.png")
  assert main(["runs", runs[0], str(tmp_path / "none"), "--out", out]) == 2
  assert "none is no folder of a run" in capsys.readouterr().err
  assert main(["runs", runs[0], "--out", str(tmp_path / "no" / "x.png")]) == 2
  (tmp_path / "empty").mkdir()
  assert main(["runs", str(tmp_path / "empty"), "--out", out]) == 2
  assert "no run has a value to draw" in capsys.readouterr().err
  (tmp_path / "empty").rmdir()
  assert sorted(tmp_path.rglob("*")) == before
