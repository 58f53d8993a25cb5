import numpy as np
import pytest

from benchmarks.league_parts import claims, config, order
from temporal_jax.data import datasets


@pytest.mark.parametrize("task", config.TASKS)
def test_a_network_that_knows_no_order_knows_the_pairs(task):
  names = datasets.find_builder(task).CLASSES
  played_backwards = {
    "camera_motion": {"pan down": "pan up", "zoom out": "zoom in"},
    "something_moves": {"falls, then jumps": "jumps, then falls"},
  }
  for name, other in played_backwards[task].items():
    confusion = np.zeros((len(names), len(names)), int)
    confusion[names.index(name), names.index(other)] = 3
    confusion[names.index(other), names.index(other)] = 4
    confusion[names.index(name)][[n not in (name, other) for n in names]] = 1
    known = order.pair_accuracy(task, confusion.tolist())
    assert known == pytest.approx(7 / (7 + len(names) - 2))
  with pytest.raises(ValueError, match=f"must be {len(names)} x {len(names)} numbers"):
    order.pair_accuracy(task, [[1]])


def test_without_a_known_pair_no_order_is_known():
  run = {"task": "camera_motion", "entry": "tsm", "top1": 0.0, "pair_top1": 0.0}
  (row,) = claims.rows([{**run, "test_clips": 10}])
  assert row["order"] == 0
