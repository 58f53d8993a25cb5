"""An evaluation that fails while a run trains."""

import itertools
import re

import pytest

from temporal_jax import training
from tests.training.helpers import make_batch, make_mesh, make_state


class _Batches:
  def __init__(self):
    self._batches = itertools.repeat(make_batch())

  def __next__(self):
    return next(self._batches)

  def position(self, gather):
    return {"read": gather(0)}


def _train(directory, evaluate, save_every):
  mesh = make_mesh(1)
  state = make_state(mesh)

  def step(state, batch):
    window = state.window
    return state.replace(
      step=state.step + 1, window=window.replace(steps=window.steps + 1)
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
      plan=training.Plan(8, log_every=2, eval_every=4, save_every=save_every),
      schedule=lambda step: 0.1,
      evaluate=evaluate,
      checkpoints=checkpoints,
      records=records,
      progress=progress,
      stop=training.StopRequest(),
      gather=lambda number: [number],
    )


@pytest.mark.parametrize(("save_every", "good"), [(3, "3"), (8, None)])
def test_the_step_and_the_last_good_checkpoint_are_named(
  tmp_path, save_every, good
):
  def evaluate(variables):
    raise ValueError("the scores of 2 of 4 clips are NaN: a, b.")

  path = tmp_path / "checkpoints" / good if good else "none"
  message = (
    "evaluation after step 4: the scores of 2 of 4 clips are NaN: a, b; the "
    f"last good checkpoint is {path}."
  )
  with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
    _train(tmp_path, evaluate, save_every)
  steps = [p.name for p in (tmp_path / "checkpoints").iterdir()]
  assert steps == ([good] if good else [])
  rows = training.read_rows(tmp_path / "metrics.jsonl")
  assert [row["step"] for row in rows] == [2]
