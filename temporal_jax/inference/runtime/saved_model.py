"""Saves and loads a network as a directory: variables and `model.json`.

`model.safetensors` holds the variables, `model.json` the rest. The workdir of a
run is such a directory too: its variables are the newest checkpoint's.
"""

import concurrent.futures
import contextlib
import contextvars
import functools
import json
import os
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import flax.traverse_util as trees
import jax
import jax.numpy as jnp

from temporal_jax import models
from temporal_jax.data.labels import ClassNames
from temporal_jax.data.views.eval_protocol import EvalProtocol
from temporal_jax.inference.runtime.model_schema import CLASSIFIERS, read_protocol
from temporal_jax.inference.runtime.override_schema import count_blocks
from temporal_jax.models.network import Network
from temporal_jax.saved_networks import description as descriptions
from temporal_jax.saved_networks.arguments import DTYPE
from temporal_jax.saved_networks.description import DESCRIPTION, described_classes
from temporal_jax.saved_networks.find import find_folder
from temporal_jax.saved_networks.folder import read_network, save_network
from temporal_jax.saved_networks.variables import check_kinds, check_leaves
from temporal_jax.training import default_dtype
from temporal_jax.training.load_variables import first_line

# Errors that networks raise at impossible arguments.
_REFUSALS = (ArithmeticError, LookupError, TypeError, ValueError)


class SavedModel(NamedTuple):
  """A network saved in a directory.

  Attributes:
    name: Its name in the catalog.
    network: The module.
    variables: {"params", "batch_stats"}.
    clip_shape: (T, H, W, C) of its clips.
    class_names: One name per class, () if they are not known; for several tasks
      a dict with one entry per task.
    pixels: {"mean", "std"} of R, G and B, of values in [0, 1].
    protocol: Views of a video in its test; one clip in the middle if none are
      saved.
    description: Fields of `model.json`.
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
        f"{self.name} looks at {channels} channels of optical flow; a video has "
        "only RGB."
      )

  @property
  def gives_features(self) -> bool:
    """Whether it has neither a classifier nor texts to compare clips with."""
    return self.network.num_classes is None and not self.network.reads_text

  def check_classifies(self) -> None:
    """Raises ValueError if its outputs are features."""
    if self.gives_features:
      raise ValueError(
        f"{self.name} has no classifier, and gives features: `extract` writes them, "
        "--config.init_from and --num-classes of convert_weights add a classifier."
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
  *,
  weights: str = "float32",
) -> None:
  """Writes a network; the directory appears only when it is complete.

  Args:
    directory: Must not exist yet.
    variables: {"params", "batch_stats"}.
    description: JSON of the fields of `model_schema.FIELDS`; "notes" holds
      further remarks.
    weights: "float32" or "int8", see `save_network`.

  Raises:
    FileExistsError: If the directory exists.
    ValueError: If a field is not allowed, or the variables do not fit the
      network.
  """

  def check(described: Mapping[str, Any], shapes: Mapping[str, Any]) -> None:
    network = described_network(DESCRIPTION, described)
    check_fit("the variables", network, described, shapes)

  save_network(directory, variables, description, CLASSIFIERS, check, weights=weights)


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
  descriptions.write_description(directory, description, variables, CLASSIFIERS)


def read_description(directory: str | os.PathLike) -> dict[str, Any] | None:
  """Reads the `model.json` of a directory.

  Args:
    directory: Folder that `convert_weights` wrote, the workdir of a run, or its
      folder of checkpoints.

  Returns:
    Its content; None if there is none.

  Raises:
    ValueError: See `read_json` and `check_description`.
  """
  return descriptions.read_description(directory, CLASSIFIERS)


def load_model(directory: str | os.PathLike, *, dtype: str | None = None) -> SavedModel:
  """Reads a network that `save_model` or a run wrote.

  Args:
    directory: Folder that `convert_weights` wrote, or the workdir of a run: of
      that the newest checkpoint, or the best of a run that `stop_after` ended,
      and the moving averages where it kept them.
      Or a name or an address, see `find_folder`.
    dtype: Dtype of the activations; None for the one in `model.json`, or else
      bfloat16 and on CPU float32.

  Raises:
    FileNotFoundError: If there is none.
    ValueError: If `model.json` is not as `save_model` writes it, see
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
    ValueError: If `model.json` is not as `save_model` writes it, or the shapes
      of the variables do not fit it, see `load_model`. Files may turn out to be
      damaged only later, see `PendingModel.wait`.
  """
  DTYPE("dtype", dtype)
  directory = find_folder(directory)
  description = read_description(directory)
  if description is None:
    raise FileNotFoundError(f"there is no {DESCRIPTION} in {directory}.")
  network = described_network(f"{directory / DESCRIPTION}", description, dtype)
  shapes: concurrent.futures.Future = concurrent.futures.Future()

  def take_shapes(found: dict[str, Any]) -> None:
    if not shapes.done():
      shapes.set_result(found)

  check = functools.partial(check_fit, f"{directory}", network)
  reading = _in_thread(lambda: read_network(directory, description, check, take_shapes))
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


def described_network(
  where: str, description: Mapping[str, Any], dtype: str | None = None
) -> Network:
  """Returns the network of a checked description.

  Args:
    where: Place of the description, for messages.
    description: Content of `model.json`.
    dtype: See `load_model`.

  Raises:
    ValueError: If the overrides do not make a network.
  """
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


def check_fit(
  where: str,
  network: Network,
  description: Mapping[str, Any],
  variables: Mapping[str, Any],
) -> None:
  """Checks that a network has exactly these variables.

  Args:
    where: Their directory, for messages.
    network: The network.
    description: Its `model.json`, checked.
    variables: {"params", "batch_stats"}, or their shapes.

  Raises:
    ValueError: If leaves are missing, unknown, of another shape or no floating
      point numbers.
  """
  check_kinds(where, variables)
  name = description["model"]
  leaves = trees.flatten_dict(dict(variables), sep="/")
  # A description with many blocks would take long to trace.
  blocks = count_blocks(name, description["overrides"])
  if blocks > len(leaves):
    raise ValueError(
      f"{where}: the {blocks} blocks of {name} by overrides have at least as "
      f"many variables, got {len(leaves)}."
    )
  check_leaves(where, name, expected_shapes(where, network, description), variables)


def expected_shapes(
  where: str, network: Network, description: Mapping[str, Any]
) -> dict[str, Any]:
  """Returns the shapes of a network's variables; nothing is computed.

  Raises:
    ValueError: If the overrides do not make a network for its clips.
  """
  shape = (1, *description["clip_shape"])
  clip = jax.ShapeDtypeStruct(shape, jnp.float32)
  try:
    shapes = jax.eval_shape(network.init, jax.random.key(0), clip)
  except Exception as error:  # Layers refuse sizes in many ways.
    field = "overrides of model.json"
    if not isinstance(network.num_classes, int):
      with contextlib.suppress(Exception):
        jax.eval_shape(network.clone(num_classes=1).init, jax.random.key(0), clip)
        given = json.dumps(description["num_classes"])
        field = f"num_classes of model.json, {given}"
    raise ValueError(
      f"{where}: no {description['model']} for clips {shape} can be built from "
      f"the {field}: {first_line(error)[:300]}"
    ) from error
  return {"batch_stats": {}, **shapes}
