"""A directory that holds a network: its variables and all one must know.

`variables/` is an Orbax checkpoint, `model.json` the rest. The workdir of a run
is such a directory too: its variables are those of the newest checkpoint.
"""

import concurrent.futures
import contextlib
import contextvars
import functools
import hashlib
import json
import os
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import flax.traverse_util as trees
import jax
import numpy as np
import orbax.checkpoint as ocp

from temporal_jax import models
from temporal_jax.data.labels import ClassNames
from temporal_jax.data.views.eval_protocol import EvalProtocol
from temporal_jax.inference import bundled
from temporal_jax.inference.runtime.model_schema import (
  MAX_BYTES,
  as_written,
  check_description,
  read_protocol,
)
from temporal_jax.inference.runtime.saved_variables import (
  check_fit,
  digest_of_leaves,
  read_variables,
)
from temporal_jax.lookup import did_you_mean
from temporal_jax.models.network import Network
from temporal_jax.storage import (
  DIGESTS,
  whole_folder,
  write_digests,
  write_text,
)
from temporal_jax.training import default_dtype
from temporal_jax.training.load_variables import CHECKPOINTS, VARIABLES
from temporal_jax.untrusted.json_text import read_json

DESCRIPTION = "model.json"
# What networks raise at arguments that cannot be.
_REFUSALS = (ArithmeticError, LookupError, TypeError, ValueError)


class SavedModel(NamedTuple):
  """A network as it lies in a directory.

  Attributes:
    name: Its name in the catalog.
    network: The module.
    variables: {"params", "batch_stats"}.
    clip_shape: (T, H, W, C) of its clips.
    class_names: A name a class, () if they are not known; of several tasks a
      dict of those of each.
    pixels: {"mean", "std"} of R, G and B, of values in [0, 1].
    protocol: Which clips of a video it was tested with, or one in the middle.
    description: All that `model.json` says.
  """

  name: str
  network: Network
  variables: dict[str, Any]
  clip_shape: tuple[int, int, int, int]
  class_names: ClassNames
  pixels: Mapping[str, Sequence[float]]
  protocol: EvalProtocol
  description: Mapping[str, Any]

  def check_rgb(self) -> None:
    """Raises ValueError if its clips are no pictures in colour."""
    channels = self.clip_shape[-1]
    if channels != 3:
      raise ValueError(
        f"{self.name} looks at {channels} channels of optical flow; a video holds "
        "RGB alone."
      )


class PendingModel:
  """A network of a directory whose variables are still being read.

  Attributes:
    outline: The network; its variables are shapes, jax.ShapeDtypeStruct, on the
      device that the values are read to.
  """

  def __init__(self, outline: SavedModel, reading: concurrent.futures.Future):
    """Takes the network.

    Args:
      outline: The network with the shapes of its variables.
      reading: Gives the variables.
    """
    self.outline = outline
    self._reading = reading

  def wait(self) -> SavedModel:
    """Returns the network with its variables, once they are read.

    Raises:
      ValueError: See `load_model`.
    """
    return self.outline._replace(variables=self._reading.result())


def outline_of(model: SavedModel | PendingModel) -> SavedModel:
  """Returns a network whose variables may be only shapes yet."""
  return model.outline if isinstance(model, PendingModel) else model


def save_model(
  directory: str | os.PathLike,
  variables: Mapping[str, Any],
  description: Mapping[str, Any],
) -> None:
  """Writes a network; the directory appears only when it is complete.

  Args:
    directory: Must not exist yet.
    variables: {"params", "batch_stats"}.
    description: JSON of the fields of `model_schema.FIELDS`; "notes" holds what
      else is to be known.

  Raises:
    FileExistsError: If the directory exists.
    ValueError: If a field is not allowed, or the variables do not fit the
      network.
  """
  described = as_written(description, DESCRIPTION)
  shapes = {"batch_stats": {}, **variables}
  network = _network(DESCRIPTION, described)
  check_fit("the variables", network, described, shapes)
  described["sha256"] = digest(variables)
  with whole_folder(directory) as partial:
    with ocp.StandardCheckpointer(save_concurrent_gb=1) as writer:
      writer.save(partial / VARIABLES, dict(variables))
    write_digests(partial / VARIABLES)
    write_description(partial, described, variables)


def write_description(
  directory: pathlib.Path,
  description: Mapping[str, Any],
  variables: Mapping[str, Any],
) -> None:
  """Writes `model.json`, never half.

  Args:
    directory: The folder to write to.
    description: See `save_model`.
    variables: {"params", "batch_stats"} that fit the network, or their shapes.
      The digest of their names and shapes is added.

  Raises:
    ValueError: See `check_description`.
  """
  description = as_written(description, DESCRIPTION)
  shapes = {"batch_stats": {}, **variables}
  description["leaves"] = digest_of_leaves(description, shapes)
  write_text(directory / DESCRIPTION, json.dumps(description, indent=2) + "\n")


def read_description(directory: str | os.PathLike) -> dict[str, Any] | None:
  """Reads the `model.json` of a directory.

  Args:
    directory: What `convert_weights` wrote, the workdir of a run, or its folder
      of checkpoints.

  Returns:
    What it holds; None if there is none.

  Raises:
    ValueError: See `read_json` and `check_description`.
  """
  directory = pathlib.Path(directory).expanduser()
  path = directory / DESCRIPTION
  if not path.exists() and directory.name == CHECKPOINTS:
    path = directory.parent / DESCRIPTION
  if not path.exists():
    return None
  description = read_json(path, max_bytes=MAX_BYTES)
  check_description(str(path), description)
  return description


def load_model(directory: str | os.PathLike, *, dtype: str | None = None) -> SavedModel:
  """Reads a network that `save_model` or a run wrote.

  Args:
    directory: What `convert_weights` wrote, or the workdir of a run: of that
      the newest checkpoint, and the moving averages where it kept them. Where
      there is no such directory, a name of `bundled.NAMES`.
    dtype: Of the activations; None for what `model.json` says, or else bfloat16
      and on CPU float32.

  Raises:
    FileNotFoundError: If there is none.
    ValueError: If `model.json` is not what `save_model` writes, see
      `check_description`, a file of the variables is damaged, or they do not
      fit the network, see `read_variables`.
  """
  return begin_loading(directory, dtype=dtype).wait()


def begin_loading(
  directory: str | os.PathLike, *, dtype: str | None = None
) -> PendingModel:
  """Begins to read a network; a thread reads the values of its variables.

  Meanwhile the network can be compiled for their shapes: see `Predictor`.

  Args:
    directory: See `load_model`.
    dtype: See `load_model`.

  Raises:
    FileNotFoundError: If there is none.
    ValueError: If `model.json` is not what `save_model` writes, or the shapes
      of the variables do not fit it, see `load_model`. Files may turn out to be
      damaged only later, see `PendingModel.wait`.
  """
  name = os.fspath(directory)
  directory = pathlib.Path(directory).expanduser().absolute()
  if name in bundled.NAMES and not directory.exists():
    directory = bundled.find(name)
  description = read_description(directory)
  if description is None:
    if hint := not directory.exists() and did_you_mean(name, bundled.NAMES):
      raise FileNotFoundError(f"there is no folder {directory}{hint}")
    raise FileNotFoundError(
      f"there is no {DESCRIPTION} in {directory}; without a directory there is "
      f"{', '.join(bundled.NAMES)}"
      + (f"; {name} has no weights here." if name in models.MODELS else ".")
    )
  network = _network(f"{directory / DESCRIPTION}", description, dtype)
  shapes: concurrent.futures.Future = concurrent.futures.Future()

  def take_shapes(found: dict[str, Any]) -> None:
    if not shapes.done():
      shapes.set_result(found)

  reading = _in_thread(
    lambda: _checked_variables(directory, network, description, take_shapes)
  )
  concurrent.futures.wait((shapes, reading), return_when="FIRST_COMPLETED")
  outline = SavedModel(
    description["model"],
    network,
    shapes.result() if shapes.done() else reading.result(),
    tuple(description["clip_shape"]),
    described_classes(description),
    description["pixels"],
    read_protocol(description),
    description,
  )
  return PendingModel(outline, reading)


def _in_thread(read: Callable[[], Any]) -> concurrent.futures.Future:
  """Calls a function in a thread, with the settings that hold in this one."""
  context, x64 = contextvars.copy_context(), jax.config.jax_enable_x64

  def call() -> Any:
    with jax.enable_x64(x64):
      return context.run(read)

  pool = concurrent.futures.ThreadPoolExecutor(1)
  future = pool.submit(call)
  pool.shutdown(wait=False)
  return future


def _network(
  where: str, description: Mapping[str, Any], dtype: str | None = None
) -> Network:
  """Returns the network of a checked description."""
  overrides = dict(description["overrides"])
  overrides["dtype"] = dtype or overrides.get("dtype") or default_dtype()
  create = functools.partial(models.create_model, description["model"], **overrides)
  try:
    return create(num_classes=description["num_classes"])
  except _REFUSALS as error:
    field = "overrides"
    with contextlib.suppress(*_REFUSALS):
      create(num_classes=1)
      field = f"num_classes must not be {json.dumps(description['num_classes'])}"
    raise ValueError(f"{where}: {field}: {error}") from None


def _checked_variables(
  directory: pathlib.Path,
  network: Network,
  description: Mapping[str, Any],
  on_shapes: Callable[[dict[str, Any]], None],
) -> dict[str, Any]:
  """Reads the variables of a network, and compares them with their sha256.

  Raises:
    ValueError: If they changed since they were written.
  """
  variables = read_variables(directory, network, description, on_shapes)
  written = description.get("sha256")
  # Folders of older versions have the sha256 of all values, and no list.
  if written is not None and not (directory / VARIABLES / DIGESTS).exists():
    check_values(directory, variables, written)
  return variables


def check_values(
  directory: str | os.PathLike, variables: Mapping[str, Any], written: str
) -> None:
  """Compares variables with the sha256 that model.json has of them.

  Raises:
    ValueError: If they differ.
  """
  found = digest(variables)
  if found != written:
    raise ValueError(
      f"the variables in {directory} changed since they were written: sha256 "
      f"{found}, {written} in {DESCRIPTION}."
    )


def described_classes(description: Mapping[str, Any]) -> ClassNames:
  """Returns the class names of a `model.json`; () if they are not known."""
  names = description.get("class_names")
  if isinstance(names, dict):
    return {task: tuple(of_task) for task, of_task in names.items()}
  return tuple(names or ())


def digest(variables: Mapping[str, Any]) -> str:
  """Returns the sha256 of names, shapes and values, in the order of names."""
  total = hashlib.sha256()
  leaves = trees.flatten_dict(dict(variables), sep="/")
  for path in sorted(leaves):
    value = np.ascontiguousarray(leaves[path])
    total.update(f"{path} {value.dtype} {value.shape}\n".encode())
    total.update(value.data)
  return total.hexdigest()
