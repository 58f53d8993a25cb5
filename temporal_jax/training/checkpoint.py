"""Saves and restores checkpoints of a run with Orbax."""

import itertools
import pathlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import orbax.checkpoint as ocp
from jax.experimental import multihost_utils
from orbax.checkpoint import checkpoint_managers

from temporal_jax.training.load_variables import first_line
from temporal_jax.training.sealed_checkpoint import (
  SCORES,
  SealedManager,
  SealedPath,
  check_sealed,
)
from temporal_jax.training.state import TrainState


class CheckpointError(RuntimeError):
  """A checkpoint could not be written."""


class Restored(NamedTuple):
  """A checkpoint that was read.

  Attributes:
    state: The train state.
    position: The place in the data.
    unreadable: Newer checkpoints that could not be read, with the reasons.
    checked: Whether its files were compared with their sha256; a checkpoint of
      an older version has none.
  """

  state: TrainState
  position: dict[str, Any]
  unreadable: tuple[str, ...]
  checked: bool


class Checkpoints:
  """The checkpoints of one run: train state and place in the data together.

  A checkpoint appears under its final name only when it is complete, so that
  a run killed while saving restarts from the one before. It holds the sha256 of
  all its files: one that was damaged later is not read either.

  Attributes:
    directory: Folder of the checkpoints, with one folder per step.
  """

  def __init__(self, directory: str | pathlib.Path, *, keep: int = 2, best: str = ""):
    """Opens the directory, which may be new.

    Args:
      directory: Folder of the checkpoints; the same for all processes.
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
    self._unreadable: list[int] = []
    options = ocp.CheckpointManagerOptions(
      preservation_policy=checkpoint_managers.AnyPreservationPolicy(policies),
      temporary_path_class=SealedPath,
    )
    try:
      self._manager = SealedManager(
        self.directory,
        options=options,
        item_handlers={
          "state": ocp.StandardCheckpointHandler(),
          "position": ocp.JsonCheckpointHandler(),
        },
      )
    except OSError as error:
      raise CheckpointError(
        f"no checkpoints can be kept in {self.directory}: {first_line(error)}."
      ) from error

  def latest(self) -> int | None:
    """Returns the step of the newest complete checkpoint, if any."""
    return self._manager.latest_step()

  def last_good(self) -> str:
    """Returns in a clause which checkpoint a run would resume now."""
    steps = set(ocp.utils.checkpoint_steps(self.directory))
    steps -= set(self._unreadable)
    if not steps:
      return "there is no checkpoint to resume from"
    return f"the last good checkpoint is {self.path(max(steps))}"

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

    Newer checkpoints that `restore` could not read are renamed before, to
    STEP.unreadable, so that they take no other's place.

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
        f"keep_best {self._best!r} is not among the test values {sorted(scores)}."
      )
    self._report(self._set_aside)
    step = int(state.step)
    if step == self.latest():
      return
    items = ocp.args.Composite(
      state=ocp.args.StandardSave(state), position=ocp.args.JsonSave(position)
    )
    ranked = dict(scores) if scores else None
    self._report(
      lambda: self._manager.save(
        step, args=items, metrics=ranked, custom_metadata={SCORES: ranked}
      )
    )

  def restore(self, state: TrainState) -> Restored | None:
    """Reads the newest checkpoint that can be read.

    Args:
      state: A state, or the shapes of one: the result has its shardings,
        whatever devices the checkpoint was written on.

    Returns:
      The checkpoint, or None if there is none.

    Raises:
      ValueError: If the newest is of another model or optimizer, or there are
        checkpoints of which none can be read.
    """
    unreadable = []
    for step in sorted(self._manager.all_steps(), reverse=True):
      try:
        checked = check_sealed(self.path(step))
        found = self._read(step, state)
      except _MismatchError as error:
        raise ValueError(
          f"the checkpoint {self.path(step)} is not of this model and "
          f"optimizer:\n{error}\nTake a new --workdir, or the config it was "
          "written with."
        ) from None
      except Exception as error:  # Orbax raises whatever a damage leads to.
        unreadable.append(f"{self.path(step)} ({first_line(error)})")
        self._unreadable.append(step)
        continue
      return Restored(found["state"], found["position"], tuple(unreadable), checked)
    if unreadable:
      raise ValueError("no checkpoint can be read: " + "; ".join(unreadable))
    return None

  def restore_step(self, step: int, state: TrainState) -> TrainState:
    """Reads the checkpoint of a step.

    Args:
      step: The step.
      state: See `restore`.

    Raises:
      CheckpointError: If it cannot be read.
    """
    self.wait()
    try:
      check_sealed(self.path(step))
      return self._read(step, state)["state"]
    except Exception as error:  # Orbax raises whatever a damage leads to.
      raise CheckpointError(
        f"the best checkpoint {self.path(step)} cannot be read: {first_line(error)}."
      ) from error

  def wait(self) -> None:
    """Waits until the checkpoint being saved is complete.

    Raises:
      CheckpointError: If it cannot be written.
    """
    self._report(self._manager.wait_until_finished)

  def close(self) -> None:
    """Completes the saved checkpoint and releases the directory."""
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

  def _set_aside(self) -> None:
    """Renames unreadable checkpoints: none is lost, or in the way."""
    if not self._unreadable:
      return
    if jax.process_index() == 0:
      for step in self._unreadable:
        aside = _free_name(self.directory / f"{step}.unreadable")
        self.path(step).rename(aside)
    if jax.process_count() > 1:
      multihost_utils.sync_global_devices("unreadable checkpoints are aside")
    self._unreadable.clear()
    self._manager.reload()

  def _report(self, action: Callable[[], Any]) -> None:
    """Runs an action that writes; an error names the last good checkpoint."""
    try:
      action()
    except Exception as error:  # Orbax raises whatever its threads ran into.
      raise CheckpointError(
        f"a checkpoint could not be written to {self.directory}: "
        f"{first_line(error)}; {self.last_good()}."
      ) from error


def _free_name(path: pathlib.Path) -> pathlib.Path:
  """Returns a path that is not there: the one given, or numbered from 2."""
  names = (path.with_name(f"{path.name}.{n}") for n in itertools.count(2))
  return next(p for p in itertools.chain([path], names) if not p.exists())


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
    *(f"- {name}: not in the checkpoint" for name in wanted if name not in saved),
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
