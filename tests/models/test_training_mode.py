"""Differences of training and evaluation, for every network."""

import functools

import jax
import numpy as np
import pytest

from tests.support import tiny_networks

_TOWER = {"depth": 2, "width": 256, "num_heads": 4}
_TWO_BLOCKS = {"stage_sizes": (2,)}  # Stochastic depth begins at the second.
# Network, its arguments, and whether they have a BatchNorm.
CASES = [
  ("resnet_basic", {"dropout": 0.5}, True),
  ("resnet_bottleneck", {"dropout": 0.5}, True),
  ("big_little", {"dropout": 0.5}, True),
  ("convnext", {"dropout": 0.5}, False),
  ("convnext", {"drop_path": 0.5, **_TWO_BLOCKS}, False),
  ("transformer", {"dropout": 0.1}, False),
  ("transformer", {"head_dropout": 0.5, "depth": 0}, False),
  (
    "transformer",
    {"drop_path": 0.5, "temporal": "adaptive_branch", **_TOWER},
    True,
  ),
  ("resnet3d", {"dropout": 0.5}, True),
  ("resnet3d_factorised", {"dropout": 0.5}, True),
  ("slowfast", {"dropout": 0.5}, True),
  ("video_text", {"temporal": "alignment"}, True),  # Its head drops out.
  ("video_text", {"head": "text", "drop_path": 0.5, "depth": 2}, False),
]


@pytest.mark.parametrize(
  ("name", "kwargs", "has_statistics"),
  CASES,
  ids=[f"{name}-{next(iter(kwargs))}" for name, kwargs, _ in CASES],
)
def test_training_drops_and_moves_statistics(name, kwargs, has_statistics):
  model, clips = tiny_networks.build(name, **kwargs), tiny_networks.clip(batch=4)
  leaves = tiny_networks.flat(tiny_networks.shapes(model, clips))
  statistics = {path for path in leaves if path[0] == "batch_stats"}
  assert bool(statistics) == has_statistics
  variables = tiny_networks.nested(tiny_networks.draw(leaves))
  text = ()
  if kwargs.get("head") == "text":
    text = (np.eye(3, 64, dtype=np.float32),)

  @jax.jit
  def train(variables, key):
    (logits, _), state = model.apply(
      variables,
      clips,
      *text,
      train=True,
      rngs={"dropout": key},
      mutable=["batch_stats"],
    )
    return logits, state

  first, state = train(variables, jax.random.key(0))
  again, _ = train(variables, jax.random.key(0))
  other, _ = train(variables, jax.random.key(1))
  np.testing.assert_array_equal(first, again)
  assert np.abs(first - other).max() > 1e-3 * np.abs(first).max()
  for path, moved in tiny_networks.flat(state).items():
    assert np.abs(moved - tiny_networks.flat(variables)[path]).max() > 0, path
  assert tiny_networks.flat(state).keys() == statistics
  # Without rngs, and with statistics that must not move.
  evaluate = functools.partial(model.apply, train=False)
  logits, _ = jax.eval_shape(evaluate, variables, clips, *text)
  assert logits.shape == (4, 3)
