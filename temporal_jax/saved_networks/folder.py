"""A directory of a network: `model.safetensors` and `model.json`.

Directories of older versions have `variables/`, by Orbax, instead of the first.
"""

import os
import pathlib
import re
import shutil
from collections.abc import Callable, Mapping
from typing import Any

import flax.traverse_util as trees
import numpy as np
import safetensors.numpy

from temporal_jax.saved_networks.description import (
  DESCRIPTION,
  Schema,
  as_written,
  write_description,
)
from temporal_jax.saved_networks.variables import (
  check_values,
  digest,
  read_variables,
)
from temporal_jax.storage import DIGESTS, sync, whole_folder, write_digests
from temporal_jax.training import int8_weights
from temporal_jax.training.load_variables import VARIABLES, VARIABLES_FILE

# Folder in a workdir whose files `move_network` moves.
MOVED = ".network"
_OS_ERROR = re.compile(r"\(os error (\d+)\)")
# Called with a description and the shapes of variables; raises ValueError if
# they do not fit the network that it describes.
CheckFit = Callable[[Mapping[str, Any], Mapping[str, Any]], None]


def save_network(
  directory: str | os.PathLike,
  variables: Mapping[str, Any],
  description: Mapping[str, Any],
  schema: Schema,
  check_fit: CheckFit,
  *,
  weights: str = "float32",
) -> None:
  """Writes a network; the directory appears only when it is complete.

  Args:
    directory: Must not exist yet.
    variables: {"params", "batch_stats"}.
    description: JSON of the schema's fields.
    schema: Schema of `model.json`.
    check_fit: Compares the variables with the network.
    weights: "float32" for the variables as they are, or "int8"; see
      `training.int8_weights`.

  Raises:
    FileExistsError: If the directory exists.
    OSError: If it cannot be written, such as for want of space.
    ValueError: If a field is not allowed, or the variables do not fit the
      network.
  """
  described = as_written(description, schema)
  check_fit(described, {"batch_stats": {}, **variables})
  leaves = trees.flatten_dict(dict(variables), sep="/")
  if weights == "int8":
    leaves, variables = int8_weights.pack(variables), int8_weights.rounded(variables)
  described["sha256"] = digest(variables)
  with whole_folder(directory) as partial:
    partial.mkdir()
    _write_arrays(partial / VARIABLES_FILE, leaves)
    # Only this file: others, such as a card, may be edited.
    write_digests(partial, [VARIABLES_FILE])
    write_description(partial, described, variables, schema)


def move_network(folder: pathlib.Path, into: pathlib.Path) -> None:
  """Moves the files of a network into a folder that may have others.

  model.json comes last: only with it the folder is a network's.

  Args:
    folder: Folder of the network, which is then gone.
    into: The other folder, on the same disk.
  """
  for file in sorted(folder.iterdir(), key=lambda file: file.name == DESCRIPTION):
    file.replace(into / file.name)
  folder.rmdir()
  sync(into)


def discard_moved(workdir: pathlib.Path) -> None:
  """Removes the files of a network whose move was killed, wherever they are.

  Args:
    workdir: Folder with `MOVED`, or without: then nothing is removed.
  """
  if not (workdir / MOVED).is_dir():
    return
  for name in (DESCRIPTION, VARIABLES_FILE, DIGESTS):
    (workdir / name).unlink(missing_ok=True)
  shutil.rmtree(workdir / MOVED)  # Last, so that a kill leaves a mark.


def read_network(
  directory: pathlib.Path,
  description: Mapping[str, Any],
  check_fit: CheckFit,
  on_shapes: Callable[[dict[str, Any]], None] = lambda shapes: None,
) -> dict[str, Any]:
  """Reads the variables of a directory, and compares them with their sha256.

  Args:
    directory: The directory of a network, or the workdir of a run.
    description: Its `model.json`, checked.
    check_fit: Compares the variables with the network.
    on_shapes: See `read_variables`.

  Returns:
    {"params", "batch_stats"}.

  Raises:
    ValueError: If they changed since they were written, or see
      `read_variables`.
  """
  variables = read_variables(
    directory, description, lambda shapes: check_fit(description, shapes), on_shapes
  )
  written = description.get("sha256")
  # Some folders have the sha256 of all values, and no list of the files'.
  lists = (directory / DIGESTS, directory / VARIABLES / DIGESTS)
  if written is not None and not any(file.exists() for file in lists):
    check_values(directory, variables, written)
  return variables


def _write_arrays(path: pathlib.Path, leaves: Mapping[str, Any]) -> None:
  """Writes leaves as safetensors, named by their paths."""
  arrays = {name: np.asarray(leaf, order="C") for name, leaf in leaves.items()}
  path.touch()
  mode = path.stat().st_mode
  try:
    safetensors.numpy.save_file(arrays, path, metadata={"format": "flax"})
  except safetensors.SafetensorError as error:
    # The library has the number of the system's error only in its words.
    if not (number := _OS_ERROR.search(str(error))):
      raise
    code = int(number[1])
    raise OSError(code, os.strerror(code), os.fspath(path)) from error
  path.chmod(mode)  # The library makes files that only their owner reads.
