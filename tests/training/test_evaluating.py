"""An evaluation that fails while a run trains."""

import errno
import itertools
import os
import re

import pytest

from temporal_jax import training
from temporal_jax.training import records as records_module
from tests.support.small_training import make_batch, make_mesh, make_state


class _Batches:
  def __init__(self):
    self._batches = itertools.repeat(make_batch())

  def __next__(self):
    return next(self._batches)

  def position(self, gather):
    return {"read": gather(0)}


def _no_space(*arguments):
  raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _train(directory, evaluate, save_every):
  mesh = make_mesh(1)
  state = make_state(mesh)

  def step(state, batch):
    window = state.window
    return state.replace(
      step=state.step + 1, window={**window, "steps": window["steps"] + 1}
    )

  checkpoints = training.Checkpoints(directory / "checkpoints")
  with (
    training.Records(directory, 0) as records,
    training.Progress(8, 0) as progress,
  ):
    return training.train(
      state,
      step,
      _Batches(),
      place=lambda batch: training.place_batch(batch, mesh),
      cadence=training.Cadence(8, log_every=2, eval_every=4, save_every=save_every),
      schedule=lambda step: 0.1,
      evaluate=evaluate,
      checkpoints=checkpoints,
      records=records,
      progress=progress,
      stop=training.StopRequest(),
      patience=training.Patience("top1", 0),
      gather=lambda number: [number],
    )


@pytest.mark.parametrize(("save_every", "good"), [(3, "3"), (8, None)])
def test_the_step_and_the_last_good_checkpoint_are_named(tmp_path, save_every, good):
  def evaluate(variables):
    raise ValueError("the scores of 2 of 4 clips are NaN: a, b.")

  left = "there is no checkpoint to resume from"
  if good:
    left = f"the last good checkpoint is {tmp_path / 'checkpoints' / good}"
  message = (
    f"evaluation after step 4: the scores of 2 of 4 clips are NaN: a, b; {left}."
  )
  with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
    _train(tmp_path, evaluate, save_every)
  steps = [p.name for p in (tmp_path / "checkpoints").iterdir()]
  assert steps == ([good] if good else [])
  rows = training.read_rows(tmp_path / "metrics.jsonl")
  assert [row["step"] for row in rows] == [2]


@pytest.mark.parametrize(("save_every", "good"), [(1, "1"), (8, None)])
def test_a_full_disk_for_records_is_said_and_what_is_left(
  tmp_path, monkeypatch, save_every, good
):
  monkeypatch.setattr(records_module, "append_json_line", _no_space)
  left = "there is no checkpoint to resume from"
  if good:
    left = f"the last good checkpoint is {tmp_path / 'checkpoints' / good}"
  message = (
    f"the values of step 2 could not be written: No space left on device; {left}."
  )
  with pytest.raises(training.CheckpointError, match=f"^{re.escape(message)}$"):
    _train(tmp_path, None, save_every)
