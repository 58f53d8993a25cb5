"""Saving and restoring a run with Orbax."""

import pathlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import orbax.checkpoint as ocp
from orbax.checkpoint import checkpoint_managers

from temporal_jax.training.state import TrainState


class CheckpointError(RuntimeError):
  """A checkpoint could not be written."""


class Restored(NamedTuple):
  """A checkpoint that was read.

  Attributes:
    state: The train state.
    position: The place in the data.
    unreadable: Newer checkpoints that could not be read, with the reasons.
  """

  state: TrainState
  position: dict[str, Any]
  unreadable: tuple[str, ...]


class Checkpoints:
  """The checkpoints of one run: train state and place in the data together.

  A checkpoint appears under its final name only when it is complete, so that
  a run killed while saving restarts from the one before.

  Attributes:
    directory: Where they lie, one folder a step.
  """

  def __init__(
    self, directory: str | pathlib.Path, *, keep: int = 2, best: str = ""
  ):
    """Opens the directory, which may be new.

    Args:
      directory: Where the checkpoints lie; the same for all processes.
      keep: Newest checkpoints that stay.
      best: Value by which the best one stays too, the largest; "" for none.

    Raises:
      CheckpointError: If it is no directory and cannot be made.
    """
    self.directory = pathlib.Path(directory).expanduser().absolute()
    policies = [checkpoint_managers.LatestN(n=keep)]
    if best:
      policies.append(
        checkpoint_managers.BestN(
          get_metric_fn=lambda values: values[best],
          n=1,
          keep_checkpoints_without_metrics=False,
        )
      )
    self._best = best
    options = ocp.CheckpointManagerOptions(
      preservation_policy=checkpoint_managers.AnyPreservationPolicy(policies)
    )
    try:
      self._manager = ocp.CheckpointManager(
        self.directory,
        options=options,
        item_handlers={
          "state": ocp.StandardCheckpointHandler(),
          "position": ocp.JsonCheckpointHandler(),
        },
      )
    except OSError as error:
      raise CheckpointError(
        f"checkpoints cannot lie in {self.directory}: {error}."
      ) from error

  def latest(self) -> int | None:
    """Returns the step of the newest complete checkpoint, if any."""
    return self._manager.latest_step()

  def path(self, step: int) -> pathlib.Path:
    """Returns the folder of a step's checkpoint."""
    return self.directory / str(step)

  def save(
    self,
    state: TrainState,
    position: Mapping[str, Any],
    scores: Mapping[str, float] | None = None,
  ) -> None:
    """Saves in the background; the arrays are copied before it returns.

    Args:
      state: The train state.
      position: The place in the data, as JSON takes it; the same on all
        processes.
      scores: Values of the test clips after this step, if there are any.

    Raises:
      CheckpointError: If this one or the one before cannot be written.
      ValueError: If the scores lack the one by which the best is kept.
    """
    if scores and self._best and self._best not in scores:
      raise ValueError(
        f"keep_best {self._best!r} is not among the test values "
        f"{sorted(scores)}."
      )
    step = int(state.step)
    if step == self.latest():
      return
    items = ocp.args.Composite(
      state=ocp.args.StandardSave(state), position=ocp.args.JsonSave(position)
    )
    ranked = dict(scores) if scores else None
    self._report(lambda: self._manager.save(step, args=items, metrics=ranked))

  def restore(self, state: TrainState) -> Restored | None:
    """Reads the newest checkpoint that can be read.

    Args:
      state: A state, or the shapes of one: its shardings are those of the
        result, whatever devices the checkpoint was written on.

    Returns:
      The checkpoint, or None if there is none.

    Raises:
      ValueError: If the newest is of another model or optimizer, or there are
        checkpoints of which none can be read.
    """
    unreadable = []
    for step in sorted(self._manager.all_steps(), reverse=True):
      try:
        found = self._read(step, state)
      except _MismatchError as error:
        raise ValueError(
          f"the checkpoint {self.path(step)} is not of this model and "
          f"optimizer:\n{error}\nTake a new --workdir, or the config it was "
          "written with."
        ) from None
      except (OSError, KeyError, ValueError, RuntimeError) as error:
        reason = str(error).strip().split("\n", maxsplit=1)[0]
        unreadable.append(f"{self.path(step)} ({reason})")
        continue
      return Restored(found["state"], found["position"], tuple(unreadable))
    if unreadable:
      raise ValueError("no checkpoint can be read: " + "; ".join(unreadable))
    return None

  def wait(self) -> None:
    """Returns when the checkpoint being saved is complete.

    Raises:
      CheckpointError: If it cannot be written.
    """
    self._report(self._manager.wait_until_finished)

  def close(self) -> None:
    """Completes what is being saved and lets go of the directory."""
    self._report(self._manager.close)

  def _read(self, step: int, state: TrainState) -> Any:
    """Reads one checkpoint, if it is of such a state."""
    metadata = self._manager.item_metadata(step)["state"]
    if metadata is None:
      raise ValueError("it holds no state")
    _compare(metadata, state)
    items = ocp.args.Composite(
      state=ocp.args.StandardRestore(_abstract(state)),
      position=ocp.args.JsonRestore(),
    )
    return self._manager.restore(step, args=items)

  def _report(self, action: Callable[[], Any]) -> None:
    """Does what writes; says what is left if it cannot."""
    try:
      action()
    except (OSError, ValueError, RuntimeError) as error:
      steps = ocp.utils.checkpoint_steps(self.directory)
      good = self.path(max(steps)) if steps else "none"
      reason = str(error).strip().split("\n", maxsplit=1)[0]
      raise CheckpointError(
        f"a checkpoint could not be written to {self.directory}: {reason}; "
        f"the last good one is {good}."
      ) from error


class _MismatchError(Exception):
  """A checkpoint has other arrays than the state."""


def _compare(metadata: Any, state: TrainState) -> None:
  """Raises _MismatchError unless a checkpoint has the arrays of the state."""
  saved, wanted = (
    {
      jax.tree_util.keystr(path, simple=True, separator="/"): leaf.shape
      for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
    }
    for tree in (metadata.tree, state)
  )
  differences = [
    *(
      f"- {name}: not in the checkpoint" for name in wanted if name not in saved
    ),
    *(f"+ {name}: not in the run" for name in saved if name not in wanted),
    *(
      f"! {name}: checkpoint {tuple(saved[name])}, run {tuple(shape)}"
      for name, shape in wanted.items()
      if name in saved and tuple(saved[name]) != tuple(shape)
    ),
  ]
  if differences:
    more = len(differences) - 10
    tail = [f"and {more} more"] if more > 0 else []
    raise _MismatchError("\n".join([*differences[:10], *tail]))


def _abstract(state: TrainState) -> TrainState:
  """Shapes, dtypes and shardings of a state."""
  return jax.tree.map(
    lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=x.sharding), state
  )
