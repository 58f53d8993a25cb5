"""The training loop."""

import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import jax
import jax.numpy as jnp

from temporal_jax.training.checkpoint import CheckpointError, Checkpoints
from temporal_jax.training.device_feed import Feed
from temporal_jax.training.objective import Arrays
from temporal_jax.training.patience import Patience
from temporal_jax.training.profile import Profile
from temporal_jax.training.progress import Progress
from temporal_jax.training.records import Records
from temporal_jax.training.state import (
  TrainState,
  Tree,
  Window,
  empty_window,
  window_sums,
)
from temporal_jax.training.stop_request import StopRequest
from temporal_jax.validation import check_at_least


@dataclasses.dataclass(frozen=True)
class Cadence:
  """Steps at which a run logs, evaluates and saves.

  Attributes:
    num_steps: Length of the run.
    log_every: Steps from one logging step to the next.
    eval_every: Steps from one evaluation to the next; 0 for none.
    save_every: Steps from one checkpoint to the next.
    keeps_best: Whether every evaluation makes a checkpoint too.
  """

  num_steps: int
  log_every: int
  eval_every: int
  save_every: int
  keeps_best: bool = False

  def __post_init__(self) -> None:
    for name in ("num_steps", "log_every", "save_every"):
      check_at_least(name, getattr(self, name), 1)
    if self.eval_every < 0:
      raise ValueError(f"eval_every must be 0 or more, got {self.eval_every}.")

  def logs(self, step: int) -> bool:
    """Whether values are written after `step` steps."""
    return step % self.log_every == 0 or self.ends(step) or self.evaluates(step)

  def evaluates(self, step: int) -> bool:
    """Whether the test clips are scored after `step` steps."""
    return self.eval_every > 0 and step % self.eval_every == 0

  def saves(self, step: int) -> bool:
    """Whether a checkpoint is written after `step` steps."""
    due = step % self.save_every == 0 or self.ends(step)
    return due or (self.keeps_best and self.evaluates(step))

  def ends(self, step: int) -> bool:
    """Whether `step` steps are the whole run."""
    return step >= self.num_steps


# A number of this process -> the numbers of all processes, in their order.
Gather = Callable[[int], list[int]]


class Batches(Iterator, Protocol):
  """Endless host batches that know where they are."""

  def position(self, gather: Gather) -> dict[str, Any]:
    """Returns the place after the last batch, as JSON takes it.

    Args:
      gather: See `train`.
    """


# Names of means in metrics.jsonl that differ from the names of their sums.
_MEANS = {"correct": "accuracy"}


class NonFiniteLossError(RuntimeError):
  """The loss or its gradient became infinite or not a number."""


def train(
  state: TrainState,
  step_fn: Callable[[TrainState, Arrays], TrainState],
  batches: Batches,
  *,
  place: Callable[..., Arrays],
  cadence: Cadence,
  schedule: Callable[[int], jax.Array],
  evaluate: Callable[[Tree], dict[str, float]],
  checkpoints: Checkpoints,
  records: Records,
  progress: Progress,
  stop: StopRequest,
  patience: Patience,
  gather: Gather,
  examples: str = "clips",
  profile: Profile | None = None,
) -> TrainState:
  """Trains from `state` to the last step, or until it is ended before.

  Args:
    state: State to start from.
    step_fn: Jitted training step; it may take over the memory of its state.
    batches: Host batches of this process.
    place: Puts a host batch on the devices.
    cadence: Steps at which to log, test and save.
    schedule: Step -> learning rate, to be written down.
    evaluate: Variables -> values of the test clips.
    checkpoints: Checkpoints to save to.
    records: Records to write values to.
    progress: Display of the progress.
    stop: Returns whether the system asked to stop.
    patience: Ends the run before its last step.
    gather: Returns the numbers of all processes for this one's.
    examples: Name of the examples in batches, a plural.
    profile: Profile of some steps; None for none.

  Returns:
    The last state; it is saved if a step was done.

  Raises:
    NonFiniteLossError: Naming the step and the last good checkpoint.
    ValueError: If `evaluate` raises it, naming the same: nothing of this step
      is saved.
  """
  step = int(state.step)
  if cadence.ends(step):
    progress.say(
      f"step {step} is at or past num_steps {cadence.num_steps}: nothing is left "
      "to train. Raise --config.num_steps, or take a new --workdir."
    )
  elif patience.is_over:
    progress.say(
      f"the run ended after step {step}: {patience.describe()}. Raise "
      "--config.stop_after to go on, or take a new --workdir."
    )
  else:
    progress.say("compiling the training step ...")
  clock, stopping = _Clock(step, examples), stop.comes_after(step)
  with Feed(batches, place) as feed, profile or Profile() as profile:
    while not (cadence.ends(step) or patience.is_over or stopping):
      with profile.step(step):
        batch = feed.take()
        state = step_fn(state, batch)
      step += 1
      profile.end_step(step, state.step)
      progress.advance(step)
      stopping = stop.comes_after(step)
      if not (cadence.logs(step) or cadence.saves(step) or stopping):
        feed.fetch(running=state.step)
        continue
      _check_finite(state.window, checkpoints)
      scores = {}
      if cadence.logs(step):
        timing = clock.lap(step, feed, batch, cadence.num_steps)
        metrics = _summary(state.window, schedule(step - 1))
        if cadence.evaluates(step):
          scores = _evaluate(evaluate, state, checkpoints)
          patience.take(step, scores)
          metrics |= {f"test/{name}": value for name, value in scores.items()}
        _record(records, step, metrics, timing, checkpoints)
        progress.show(step, metrics, timing)
        fresh = jax.device_put(
          empty_window(window_sums(state.window)), state.step.sharding
        )
        state = state.replace(window=fresh)
        clock.restart(feed)
      if cadence.saves(step) or stopping:
        position = {**batches.position(gather), **patience.record()}
        checkpoints.save(state, position, scores)
    checkpoints.wait()
  return state


def _check_finite(window: Window, checkpoints: Checkpoints) -> None:
  """Stops a run whose loss is lost, before it is saved."""
  bad_step = int(window["bad_step"])
  if bad_step < 0:
    return
  raise NonFiniteLossError(
    f"loss or gradient is not finite at step {bad_step + 1}; "
    f"{_last_good(checkpoints)}. A lower optim.lr or optim.clip_norm may help."
  )


def _evaluate(
  evaluate: Callable[[Tree], dict[str, float]],
  state: TrainState,
  checkpoints: Checkpoints,
) -> dict[str, float]:
  """Scores the test clips; an error names the step."""
  try:
    return evaluate(state.eval_variables())
  except ValueError as error:
    raise ValueError(
      f"evaluation after step {int(state.step)}: "
      f"{str(error).removesuffix('.')}; {_last_good(checkpoints)}."
    ) from error


def _record(
  records: Records,
  step: int,
  metrics: dict[str, float],
  timing: dict[str, float],
  checkpoints: Checkpoints,
) -> None:
  """Records the values of a step; an error names the last good checkpoint."""
  try:
    records.write(step, metrics, timing)
  except OSError as error:
    raise CheckpointError(
      f"the values of step {step} could not be written: "
      f"{error.strerror or error}; {_last_good(checkpoints)}."
    ) from error


def _last_good(checkpoints: Checkpoints) -> str:
  """Returns in a clause which checkpoint is left when a run ends early."""
  with contextlib.suppress(CheckpointError):  # It must not hide the first one.
    checkpoints.wait()
  return checkpoints.last_good()


def _summary(window: Window, learning_rate: jax.Array) -> dict[str, float]:
  """Means over a window: over examples, and of the gradient over steps."""
  window = jax.device_get(window)
  weight = max(float(window["weight"]), 1.0)
  return {
    **{
      _MEANS.get(name, name): float(window[name]) / weight
      for name in sorted(window_sums(window), key=lambda name: name != "loss")
    },
    "grad_norm": float(window["grad_norm"]) / int(window["steps"]),
    "learning_rate": float(jnp.asarray(learning_rate)),
  }


class _Clock:
  """Times the steps between two logging steps, and nothing else."""

  def __init__(self, step: int, examples: str):
    self._step, self._start, self._waited = step, time.perf_counter(), 0.0
    self._examples = examples

  def lap(
    self, step: int, feed: Feed, batch: Arrays, num_steps: int
  ) -> dict[str, float]:
    """Returns the speed since the last restart."""
    seconds = time.perf_counter() - self._start
    steps, self._step = step - self._step, step
    size = len(next(iter(batch.values())))
    return {
      f"{self._examples}_per_second": steps * size / seconds,
      "seconds_per_step": seconds / steps,
      "data_wait": (feed.waited - self._waited) / seconds,
      "seconds_left": seconds / steps * (num_steps - step),
    }

  def restart(self, feed: Feed) -> None:
    """Starts the next lap."""
    self._start, self._waited = time.perf_counter(), feed.waited
