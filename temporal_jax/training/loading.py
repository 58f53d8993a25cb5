"""Reading what a run or `convert_weights` has saved, on any machine."""

import contextlib
import pathlib
from collections.abc import Iterator
from typing import Any

import jax
import orbax.checkpoint as ocp
from absl import logging

from temporal_jax.training.state import Tree

# Folder of the variables in a model's directory.
VARIABLES = "variables"
# Folder of the checkpoints in a run's workdir.
CHECKPOINTS = "checkpoints"


def read_state(directory: str | pathlib.Path) -> Tree:
  """Reads the newest checkpoint of a run as nested dicts, on one device.

  Args:
    directory: A run's workdir, or its folder of checkpoints.

  Raises:
    FileNotFoundError: If there is no complete checkpoint.
  """
  directory = pathlib.Path(directory).expanduser().absolute()
  if (directory / CHECKPOINTS).is_dir():
    directory = directory / CHECKPOINTS
  steps = _steps(directory)
  if not steps:
    raise FileNotFoundError(f"there is no checkpoint in {directory}.")
  return read_tree(directory / str(max(steps)) / "state")


def has_checkpoint(workdir: str | pathlib.Path) -> bool:
  """Whether a run has saved a complete checkpoint in its workdir."""
  return bool(_steps(pathlib.Path(workdir).expanduser() / CHECKPOINTS))


def _steps(directory: pathlib.Path) -> list[int]:
  """Returns the steps of the complete checkpoints in a folder."""
  return ocp.utils.checkpoint_steps(directory) if directory.is_dir() else []


def read_tree(path: pathlib.Path) -> Tree:
  """Reads what Orbax saved at `path` as nested dicts, on one device."""
  with ocp.StandardCheckpointer() as reader, _without_warnings():
    target = jax.tree.map(
      _whole_array, reader.metadata(path).item_metadata.tree
    )
    return reader.restore(path, target)


@contextlib.contextmanager
def _without_warnings() -> Iterator[None]:
  """Orbax misses a file in the parts of a run's checkpoint; none is needed."""
  before = logging.get_verbosity()
  logging.set_verbosity(min(before, logging.ERROR))
  try:
    yield
  finally:
    logging.set_verbosity(before)


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


def _whole_array(metadata: Any) -> jax.ShapeDtypeStruct:
  """A target that any machine can hold: the whole array on one device."""
  device = jax.sharding.SingleDeviceSharding(jax.local_devices()[0])
  return jax.ShapeDtypeStruct(metadata.shape, metadata.dtype, sharding=device)
