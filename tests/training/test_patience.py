"""A run ends early, and its best checkpoint is its network."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from temporal_jax import training
from tests.support.small_training import make_batch, make_mesh, make_state

MESH = make_mesh(1)
# Values of the evaluations after steps 2, 4, ...; step 6 has the best.
VALUES = (0.2, 0.5, 0.5, 0.4, 0.3, 0.9, 0.9)
BEST, END = 6, 8


class _Batches:
  def __iter__(self):
    return self

  def __next__(self):
    return make_batch(size=2)

  def position(self, gather):
    return {"start": 0}


class _StopsAt:
  signal = None

  def __init__(self, step):
    self._step = step

  def comes_after(self, step):
    return step == self._step


def _train(directory, values=VALUES, stop_after=2, stop_at=None, num_steps=14):
  """Each step adds 1 to every parameter; returns the state and the patience."""
  state, done = make_state(MESH, ema=False), []

  def step(state, batch):
    window = {**state.window, "steps": state.window["steps"] + 1}
    params = jax.tree.map(lambda leaf: leaf + 1, state.params)
    return state.replace(step=state.step + 1, window=window, params=params)

  def evaluate(variables):
    done.append(1)
    return {"top1": values[(started + 2 * len(done)) // 2 - 1]}

  checkpoints = training.Checkpoints(directory / "checkpoints", keep=1, best="top1")
  restored = checkpoints.restore(state)
  position = restored.position if restored else None
  state = restored.state if restored else state
  started = int(state.step) // 2 * 2
  patience = training.Patience("top1", stop_after, position)
  with (
    training.Records(directory, int(state.step)) as records,
    training.Progress(num_steps, int(state.step)) as progress,
  ):
    state = training.train(
      state,
      step,
      _Batches(),
      place=lambda batch: training.place_batch(batch, MESH),
      cadence=training.Cadence(num_steps, 2, 2, 100, keeps_best=True),
      schedule=lambda step: 0.1,
      evaluate=evaluate,
      checkpoints=checkpoints,
      records=records,
      progress=progress,
      stop=_StopsAt(stop_at),
      patience=patience,
      gather=lambda number: [number],
    )
  best = checkpoints.restore_step(patience.best_step, state)
  checkpoints.close()
  return state, patience, best


def _steps_in(variables, start):
  """How many steps made the parameters of what they are."""
  first, now = (jax.tree.leaves(tree["params"])[0] for tree in (start, variables))
  return round(float(np.mean(np.asarray(now) - np.asarray(first))))


def test_the_run_ends_with_its_best_checkpoint(tmp_path, capsys):
  start = {"params": make_state(MESH, ema=False).params}
  state, patience, best = _train(tmp_path)
  # 0.5 again is no better value, but its checkpoint is the one that is kept.
  assert (int(state.step), patience.best_step, int(best.step)) == (END, BEST, BEST)
  assert patience.is_over
  assert {p.name for p in (tmp_path / "checkpoints").iterdir()} == {"6", "8"}
  assert _steps_in(training.load_variables(tmp_path), start) == BEST
  # The same command again trains nothing.
  capsys.readouterr()
  state, patience, best = _train(tmp_path)
  assert (int(state.step), int(best.step)) == (END, BEST)
  assert "the run ended after step 8: top1 of the test has not been better than" in (
    capsys.readouterr().out
  )


@pytest.mark.parametrize("stop_at", [3, 6, 7])
def test_a_resumed_run_ends_at_the_same_step(tmp_path, stop_at):
  state, patience, _ = _train(tmp_path, stop_at=stop_at)
  assert (int(state.step), patience.is_over) == (stop_at, False)
  state, patience, best = _train(tmp_path)
  assert (int(state.step), int(best.step), patience.is_over) == (END, BEST, True)


def test_more_patience_goes_on(tmp_path):
  start = {"params": make_state(MESH, ema=False).params}
  _train(tmp_path)
  state, patience, _ = _train(tmp_path, stop_after=4)
  assert (int(state.step), patience.best_step, patience.is_over) == (14, 14, False)
  # A run that ended by its steps has the newest checkpoint as its network.
  assert _steps_in(training.load_variables(tmp_path), start) == 14


def test_a_damaged_best_checkpoint_is_not_read(tmp_path):
  start = {"params": make_state(MESH, ema=False).params}
  _train(tmp_path)
  for file in (tmp_path / "checkpoints" / "6" / "state").rglob("*"):
    if file.is_file():
      file.write_bytes(b"")
  assert _steps_in(training.load_variables(tmp_path), start) == END
  with pytest.raises(training.CheckpointError, match=r"best checkpoint .*6 cannot be"):
    _train(tmp_path)


def test_without_patience_nothing_is_kept():
  patience = training.Patience("top1", 0)
  patience.take(2, {"top1": jnp.float32(0.1)})
  assert (patience.record(), patience.is_over) == ({}, False)
