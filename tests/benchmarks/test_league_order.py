import jax
import numpy as np
import pytest

from benchmarks.league_parts import claims, config, costs, entries, order
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


@pytest.mark.parametrize(
  ("entry", "knows_order"),
  [
    ("resnet_none", False),
    ("tada_pooling", False),  # An average is the same forwards and backwards.
    ("tada_static", False),
    ("tada_clip", False),
    ("tada_no_neighbours", False),
    ("tada_no_global", True),
    ("tada_static_frames", True),
    ("tada_v2", True),
    ("tsm", True),
    ("vit_none", False),
    ("vit_positions", True),  # Also without an operator.
  ],
)
def test_some_networks_cannot_know_the_order(entry, knows_order):
  network, shape = costs.create("camera_motion", entries.ENTRIES[entry])
  rng = np.random.default_rng(0)
  clip = rng.standard_normal((1, *shape), np.float32)
  shapes = jax.eval_shape(network.init, jax.random.key(0), clip)
  # Operators that start at nothing count too, so that all weights are random.
  variables = {
    "params": jax.tree.map(lambda x: 0.2 * _normal(rng, x), shapes["params"]),
    "batch_stats": jax.tree.map(
      lambda x: 1 + np.abs(_normal(rng, x)), shapes.get("batch_stats", {})
    ),
  }
  classify = jax.jit(network.apply)
  forwards, backwards = (
    classify(variables, frames)[0] for frames in (clip, clip[:, ::-1])
  )
  difference = np.abs(forwards - backwards).max() / np.abs(forwards).max()
  assert (difference > 1e-4) == knows_order


def _normal(rng, leaf):
  return rng.standard_normal(leaf.shape, np.float32)
