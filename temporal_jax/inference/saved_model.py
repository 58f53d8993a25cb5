"""A directory that holds a network: its variables and all one must know.

`variables/` is an Orbax checkpoint, `model.json` the rest.
"""

import hashlib
import json
import os
import pathlib
import shutil
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import flax.traverse_util as trees
import numpy as np
import orbax.checkpoint as ocp

from temporal_jax import models
from temporal_jax.models.network import Network
from temporal_jax.training.loading import VARIABLES, load_variables

DESCRIPTION = "model.json"
_NEEDED = (
  "model",
  "overrides",
  "num_classes",
  "clip_shape",
  "class_names",
  "pixels",
  "sha256",
)


class SavedModel(NamedTuple):
  """A network as it lies in a directory.

  Attributes:
    name: Its name in the catalog.
    network: The module.
    variables: {"params", "batch_stats"}.
    clip_shape: (T, H, W, C) of its clips.
    class_names: A name a class, () if they are not known.
    pixels: {"mean", "std"} of R, G and B, of values in [0, 1].
    description: All that `model.json` says.
  """

  name: str
  network: Network
  variables: dict[str, Any]
  clip_shape: tuple[int, int, int, int]
  class_names: tuple[str, ...]
  pixels: Mapping[str, Sequence[float]]
  description: Mapping[str, Any]


def save_model(
  directory: str | os.PathLike,
  variables: Mapping[str, Any],
  description: Mapping[str, Any],
) -> None:
  """Writes a network; the directory appears only when it is complete.

  Args:
    directory: Must not exist yet.
    variables: {"params", "batch_stats"}.
    description: What `SavedModel` needs to be read again, and what else is to
      be known; JSON.

  Raises:
    FileExistsError: If the directory exists.
  """
  directory = pathlib.Path(directory).expanduser().absolute()
  if directory.exists():
    raise FileExistsError(f"{directory} exists already.")
  directory.parent.mkdir(parents=True, exist_ok=True)
  partial = directory.with_name(f".{directory.name}.{os.getpid()}.partial")
  try:
    with ocp.StandardCheckpointer(save_concurrent_gb=1) as writer:
      writer.save(partial / VARIABLES, dict(variables))
    text = json.dumps({**description, "sha256": digest(variables)}, indent=2)
    (partial / DESCRIPTION).write_text(f"{text}\n")
    partial.rename(directory)
  finally:
    shutil.rmtree(partial, ignore_errors=True)


def load_model(directory: str | os.PathLike) -> SavedModel:
  """Reads a network that `save_model` wrote.

  Raises:
    FileNotFoundError: If there is none.
    ValueError: If `model.json` is not what `save_model` writes.
  """
  directory = pathlib.Path(directory).expanduser().absolute()
  path = directory / DESCRIPTION
  if not path.is_file():
    raise FileNotFoundError(f"there is no {DESCRIPTION} in {directory}.")
  try:
    description = json.loads(path.read_text())
  except ValueError as error:
    raise ValueError(f"{path} is not JSON: {error}.") from None
  missing = [key for key in _NEEDED if key not in description]
  if missing:
    raise ValueError(f"{path} lacks {missing}.")
  name, overrides = description["model"], description["overrides"]
  network = models.create_model(
    name, num_classes=description["num_classes"], **overrides
  )
  return SavedModel(
    name,
    network,
    load_variables(directory),
    tuple(description["clip_shape"]),
    tuple(description["class_names"] or ()),
    description["pixels"],
    description,
  )


def digest(variables: Mapping[str, Any]) -> str:
  """Returns the sha256 of names, shapes and values, in the order of names."""
  total = hashlib.sha256()
  leaves = trees.flatten_dict(dict(variables), sep="/")
  for path in sorted(leaves):
    value = np.ascontiguousarray(leaves[path])
    total.update(f"{path} {value.dtype} {value.shape}\n".encode())
    total.update(value.data)
  return total.hexdigest()
