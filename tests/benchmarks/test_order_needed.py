import json

import numpy as np
import pytest

from benchmarks import order_needed
from temporal_jax.data import DatasetSource
from temporal_jax.data.datasets.something_moves import CLASSES, SomethingMoves


def test_a_pair_in_the_other_order_counts_as_the_pair():
  confusion = np.zeros((16, 16), int)
  confusion[0, 0], confusion[0, 1], confusion[1, 2], confusion[5, 4] = 3, 2, 1, 4
  assert order_needed.pair_accuracy(confusion) == pytest.approx(0.9)
  orders = [*CLASSES.values()]
  assert orders[::2] == [order[::-1] for order in orders[1::2]]


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
  assert all(0 <= row["top1"] <= row["pair"] <= 1 for row in first)
  order_needed.main(words)  # Nothing is trained twice.
  assert json.loads(file.read_text())["rows"] == first
