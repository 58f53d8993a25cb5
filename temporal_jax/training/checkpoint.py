"""Saving and restoring a run with Orbax."""

import pathlib
from typing import Any

import grain
import jax
import orbax.checkpoint as ocp

from temporal_jax.training.state import TrainState, Tree

# Folder of the variables in a model's directory.
VARIABLES = "variables"


class Checkpoints:
  """The checkpoints of one run: train state and place in the data together.

  A checkpoint appears under its final name only when it is complete, so that
  a run killed while saving restarts from the one before.

  Attributes:
    directory: Where they lie, one folder a step.
  """

  def __init__(self, directory: str | pathlib.Path, *, keep: int = 2):
    """Opens the directory, which may be new.

    Args:
      directory: Where the checkpoints lie.
      keep: Newest checkpoints that stay.
    """
    self.directory = pathlib.Path(directory).expanduser().absolute()
    options = ocp.CheckpointManagerOptions(max_to_keep=keep)
    self._manager = ocp.CheckpointManager(self.directory, options=options)

  def latest(self) -> int | None:
    """Returns the step of the newest complete checkpoint, if any."""
    return self._manager.latest_step()

  def path(self, step: int) -> pathlib.Path:
    """Returns the folder of a step's checkpoint."""
    return self.directory / str(step)

  def save(self, state: TrainState, data: grain.DatasetIterator) -> None:
    """Saves in the background; the arrays are copied before it returns."""
    step = int(state.step)
    if step == self.latest():
      return
    items = ocp.args.Composite(
      state=ocp.args.StandardSave(state),
      data=grain.checkpoint.CheckpointSave(data),
    )
    self._manager.save(step, args=items)

  def restore(
    self, step: int, state: TrainState, data: grain.DatasetIterator
  ) -> TrainState:
    """Returns the saved state; `data` is set to the saved place.

    Args:
      step: Step of the checkpoint.
      state: A state of the same shapes: its shardings are those of the result,
        whatever devices the checkpoint was written on.
      data: An iterator over the same data.

    Raises:
      ValueError: If the shapes differ.
    """
    items = ocp.args.Composite(
      state=ocp.args.StandardRestore(_abstract(state)),
      data=grain.checkpoint.CheckpointRestore(data),
    )
    return self._manager.restore(step, args=items)["state"]

  def wait(self) -> None:
    """Returns when the checkpoint being saved is complete."""
    self._manager.wait_until_finished()

  def close(self) -> None:
    """Completes what is being saved and lets go of the directory."""
    self._manager.close()


def read_state(directory: str | pathlib.Path) -> Tree:
  """Reads the newest checkpoint of a run as nested dicts, on one device.

  Args:
    directory: A run's workdir, or its folder of checkpoints.

  Raises:
    FileNotFoundError: If there is no complete checkpoint.
  """
  directory = pathlib.Path(directory).expanduser().absolute()
  if (directory / "checkpoints").is_dir():
    directory = directory / "checkpoints"
  steps = ocp.utils.checkpoint_steps(directory) if directory.is_dir() else []
  if not steps:
    raise FileNotFoundError(f"there is no checkpoint in {directory}.")
  return read_tree(directory / str(max(steps)) / "state")


def read_tree(path: pathlib.Path) -> Tree:
  """Reads what Orbax saved at `path` as nested dicts, on one device."""
  with ocp.StandardCheckpointer() as reader:
    target = jax.tree.map(
      _whole_array, reader.metadata(path).item_metadata.tree
    )
    return reader.restore(path, target)


def load_variables(directory: str | pathlib.Path) -> Tree:
  """Reads {"params", "batch_stats"} of a model or of a run.

  Of a run that is the newest checkpoint, and the moving averages where it kept
  them.

  Args:
    directory: What `convert_weights` wrote, a run's workdir, or its folder of
      checkpoints.

  Raises:
    FileNotFoundError: If there is no complete checkpoint.
  """
  model = pathlib.Path(directory).expanduser().absolute() / VARIABLES
  if model.is_dir():
    return {"batch_stats": {}, **read_tree(model)}
  state = read_state(directory)
  if state.get("ema"):
    return state["ema"]
  return {
    "params": state["params"],
    "batch_stats": state.get("batch_stats", {}),
  }


def _abstract(state: TrainState) -> TrainState:
  """Shapes, dtypes and shardings of a state."""
  return jax.tree.map(
    lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=x.sharding), state
  )


def _whole_array(metadata: Any) -> jax.ShapeDtypeStruct:
  """A target that any machine can hold: the whole array on one device."""
  device = jax.sharding.SingleDeviceSharding(jax.local_devices()[0])
  return jax.ShapeDtypeStruct(metadata.shape, metadata.dtype, sharding=device)
