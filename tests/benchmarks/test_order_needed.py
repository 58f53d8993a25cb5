import json
import pathlib
import types

import numpy as np
import pytest

from benchmarks import order_needed
from temporal_jax.data import DatasetSource
from temporal_jax.data.datasets.something_moves import SomethingMoves


def test_figures_of_other_arguments_are_refused(monkeypatch, tmp_path):
  def train(command, **kwargs):
    del kwargs
    place = pathlib.Path(command[3].removeprefix("--workdir="))
    report = {"top1": 0.0, "confusion": np.eye(16, dtype=int)[::-1].tolist()}
    (place / "report.json").write_text(json.dumps(report))

  monkeypatch.setattr(
    order_needed, "subprocess", types.SimpleNamespace(run=train, DEVNULL=None)
  )
  found = order_needed.run(tmp_path, "aggregation", "--config.num_steps=2")
  assert (found["top1"], found["pair"]) == (0, 0)
  assert order_needed.run(tmp_path, "aggregation", "--config.num_steps=2") == found
  with pytest.raises(SystemExit, match=r"aggregation has a training with arguments"):
    order_needed.run(tmp_path, "aggregation")


def test_a_training_that_was_stopped_and_goes_on_has_no_seconds(monkeypatch, tmp_path):
  stops = [True, False]

  def train(command, **kwargs):
    del kwargs
    if stops.pop(0):
      raise KeyboardInterrupt
    place = pathlib.Path(command[3].removeprefix("--workdir="))
    report = {"top1": 0.5, "confusion": np.eye(16, dtype=int).tolist()}
    (place / "report.json").write_text(json.dumps(report))

  monkeypatch.setattr(
    order_needed, "subprocess", types.SimpleNamespace(run=train, DEVNULL=None)
  )
  with pytest.raises(KeyboardInterrupt):
    order_needed.run(tmp_path, "aggregation")
  with pytest.raises(SystemExit, match="arguments"):
    order_needed.run(tmp_path, "aggregation", "--config.num_steps=2")
  found = order_needed.run(tmp_path, "aggregation")
  assert (found["pair"], found["seconds"]) == (1, None)


@pytest.mark.slow
def test_all_networks_run_and_go_on(monkeypatch, tmp_path, capsys):
  monkeypatch.setattr(SomethingMoves, "NUM_CLIPS", {"train": 32, "test": 16})
  DatasetSource("something_moves", "train", tmp_path / "work" / "data")
  monkeypatch.setenv("XLA_FLAGS", "")  # One device.
  file = tmp_path / "figures.json"
  words = ["--work", str(tmp_path / "work"), "--json", str(file)]
  short = ["--config.num_steps=2", "--config.optim.warmup_steps=0"]
  order_needed.main([*words, "--more", *short])
  assert "shuffled" in capsys.readouterr().out
  first = json.loads(file.read_text())["rows"]
  assert [row["network"] for row in first] == [*order_needed.NETWORKS]
  stamp = next(tmp_path.glob("work/aggregation/report.json")).stat().st_mtime_ns
  order_needed.main([*words, "--more", *short])
  again = next(tmp_path.glob("work/aggregation/report.json")).stat().st_mtime_ns
  assert again == stamp  # Nothing is trained twice.
  assert json.loads(file.read_text())["rows"] == first
