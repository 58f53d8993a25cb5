"""Reading what a run or `convert_weights` has saved, on any machine."""

import contextlib
import pathlib
from collections.abc import Iterator
from typing import Any

import jax
import orbax.checkpoint as ocp
from absl import logging

from temporal_jax.storage import check_digests
from temporal_jax.training.state import Tree

# Folder of the variables in a model's directory.
VARIABLES = "variables"
# Folder of the checkpoints in a run's workdir.
CHECKPOINTS = "checkpoints"


def read_state(directory: str | pathlib.Path) -> Tree:
  """Reads the newest checkpoint of a run as nested dicts, on one device.

  One that is damaged is named in a warning, and the one before it is read.

  Args:
    directory: A run's workdir, or its folder of checkpoints.

  Raises:
    FileNotFoundError: If there is no complete checkpoint.
    ValueError: If none can be read.
  """
  directory = pathlib.Path(directory).expanduser().absolute()
  if (directory / CHECKPOINTS).is_dir():
    directory = directory / CHECKPOINTS
  steps = _steps(directory)
  if not steps:
    raise FileNotFoundError(f"there is no checkpoint in {directory}.")
  damaged = []
  for step in sorted(steps, reverse=True):
    try:
      _check(directory / str(step))
      return read_tree(directory / str(step) / "state")
    except Exception as error:  # Orbax raises whatever a damage leads to.
      damaged.append(f"{directory / str(step)} ({first_line(error)})")
      logging.warning("this checkpoint cannot be read: %s", damaged[-1])
  raise ValueError("no checkpoint can be read: " + "; ".join(damaged))


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


def _check(folder: pathlib.Path) -> None:
  """Compares a folder with its list of sha256; says if it has none."""
  if not check_digests(folder):
    logging.warning(
      "%s has no list of sha256: its files are not compared.", folder
    )


def first_line(error: Exception) -> str:
  """Returns what an error says, in a line without a stop."""
  said = str(error).strip().split("\n", maxsplit=1)[0].removesuffix(".")
  return said or type(error).__name__


def load_variables(directory: str | pathlib.Path) -> Tree:
  """Reads {"params", "batch_stats"} of a model or of a run.

  Of a run that is the newest checkpoint, and the moving averages where it kept
  them.

  Args:
    directory: What `convert_weights` wrote, a run's workdir, or its folder of
      checkpoints.

  Raises:
    FileNotFoundError: If there is no complete checkpoint.
    ValueError: If a file is damaged or missing; of a run the checkpoint before
      is read, if there is one.
  """
  model = pathlib.Path(directory).expanduser().absolute() / VARIABLES
  if model.is_dir():
    try:
      check_digests(model)
      return {"batch_stats": {}, **read_tree(model)}
    except Exception as error:  # Orbax raises whatever a damage leads to.
      raise ValueError(
        f"the variables in {model} cannot be read: {first_line(error)}."
      ) from error
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
