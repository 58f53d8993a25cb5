"""A run on Weights & Biases; imported only if the observer is chosen.

Source: the package wandb, `wandb.init` and `Run.define_metric`.
"""

import os
from collections.abc import Mapping

import wandb

from temporal_jax.training.observers import RunStart


class WandbRun:
  """An observer, see `observers.Observer`. Variables WANDB_* count.

  All starts of a workdir are one run there. In offline mode each start has a
  folder in WORKDIR/wandb, and `wandb sync` puts them together.
  """

  def __init__(self, start: RunStart):
    self._run = wandb.init(
      project=start.project or os.environ.get("WANDB_PROJECT") or "temporal_jax",
      id=start.run_id(),
      name=start.workdir.resolve().name,
      dir=str(start.workdir.resolve()),
      resume="allow",
      config=start.settings,
      settings=wandb.Settings(console="off"),  # Output stays the run's own.
    )
    # Its own count only grows, and steps after a checkpoint may come twice.
    self._run.define_metric("step", hidden=True)
    self._run.define_metric("*", step_metric="step")

  def row(self, step: int, values: Mapping[str, float]) -> None:
    self._run.log({"step": step, **values})

  def end(self, failed: bool) -> None:
    self._run.finish(exit_code=int(failed))
