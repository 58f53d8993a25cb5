"""A run on Weights & Biases; imported only if the observer is chosen.

Source: the package wandb, `wandb.init` and `Run.define_metric`.
"""

import os
from collections.abc import Mapping

import wandb

from temporal_jax.training.observers import RunStart

# Seconds to wait for an answer at the start, and for uploads at the end.
# Without a network wandb waits 90 and without end.
_WAITS = {"init_timeout": 30.0, "finish_timeout": 60.0}


class WandbRun:
  """An observer, see `observers.Observer`. Variables WANDB_* count.

  All starts of a workdir are one run there. In offline mode each start has a
  folder in WORKDIR/wandb, and `wandb sync` puts them together. Without a
  network the waits are `_WAITS`, or WANDB_INIT_TIMEOUT and
  WANDB_FINISH_TIMEOUT.
  """

  def __init__(self, start: RunStart):
    # Settings given here would replace the variables'.
    waits = {n: s for n, s in _WAITS.items() if f"WANDB_{n.upper()}" not in os.environ}
    self._run = wandb.init(
      project=start.project or os.environ.get("WANDB_PROJECT") or "temporal_jax",
      id=start.run_id(),
      name=start.workdir.resolve().name,
      dir=str(start.workdir.resolve()),
      resume="allow",
      config=start.settings,
      settings=wandb.Settings(
        console="off",  # Output stays the run's own.
        finish_timeout_raises=True,
        **waits,
      ),
    )
    # Its own count only grows, and steps after a checkpoint may come twice.
    self._run.define_metric("step", hidden=True)
    self._run.define_metric("*", step_metric="step")

  def row(self, step: int, values: Mapping[str, float]) -> None:
    self._run.log({"step": step, **values})

  def end(self, failed: bool) -> None:
    self._run.finish(exit_code=int(failed))
