"""Loads the variables of a run or a converted network, on any machine."""

import contextlib
import functools
import json
import math
import os
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp
from absl import logging

from temporal_jax.storage import DIGESTS, check_digests
from temporal_jax.training.int8_weights import join_scales
from temporal_jax.training.low_rank import check_factors, merge, without_factors
from temporal_jax.training.patience import BEST_STEP, IS_OVER, PATIENCE
from temporal_jax.training.state import Tree
from temporal_jax.untrusted.safetensors_file import read_safetensors
from temporal_jax.untrusted.sizes import check_unpacked

Check = Callable[[Tree], None]

# File of the variables in a model's directory, "params/..." and
# "batch_stats/..." by the names of the leaves; Orbax's folder of them in
# directories of older versions.
VARIABLES_FILE = "model.safetensors"
VARIABLES = "variables"
# Folder of the checkpoints in a run's workdir.
CHECKPOINTS = "checkpoints"
_JSON = "metadata"  # Name that Orbax gives a file of JSON.
_COLLECTIONS = ("params/", "batch_stats/")
_DEEPEST = 32  # Parts of a name; those of networks have up to ten.


def read_state(directory: str | pathlib.Path, check: Check | None = None) -> Tree:
  """Reads a checkpoint of a run as nested dicts, on one device.

  It is the newest, or the best of a run that ended by `patience`. One that is
  damaged is named in a warning, and the newest other one is read.

  Args:
    directory: A run's workdir, or its folder of checkpoints.
    check: See `read_tree`.

  Raises:
    FileNotFoundError: If there is no complete checkpoint.
    ValueError: If none can be read, or see `read_tree`.
  """
  directory = pathlib.Path(directory).expanduser().absolute()
  if (directory / CHECKPOINTS).is_dir():
    directory = directory / CHECKPOINTS
  steps = _steps(directory)
  if not steps:
    raise FileNotFoundError(f"there is no checkpoint in {directory}.")
  damaged = []

  def check_shapes(shapes: Tree) -> None:
    try:
      if check:
        check(shapes)
    except ValueError as error:
      raise _RefusedError from error

  for step in _in_order(directory, steps):
    try:
      is_listed = check_digests(directory / str(step))
      state = read_tree(directory / str(step) / "state", check_shapes)
    except _RefusedError as error:
      raise error.__cause__ from None
    except Exception as error:  # Orbax raises whatever a damage leads to.
      damaged.append(f"{directory / str(step)} ({first_line(error)})")
      continue
    # Only now: a thread that reads while the process ends can read none.
    for words in damaged:
      logging.warning("this checkpoint cannot be read: %s", words)
    if not is_listed:
      logging.warning(
        "%s has no list of sha256: its files are not compared.",
        directory / str(step),
      )
    return state
  raise ValueError("no checkpoint can be read: " + "; ".join(damaged))


def _in_order(directory: pathlib.Path, steps: list[int]) -> list[int]:
  """Returns the steps from the first to be read to the last."""
  newest_first = sorted(steps, reverse=True)
  position = directory / str(newest_first[0]) / "position" / _JSON
  try:
    kept = json.loads(position.read_text(encoding="utf-8"))[PATIENCE]
    best = kept[BEST_STEP] if kept[IS_OVER] else None
  except (KeyError, OSError, TypeError, ValueError, RecursionError):
    best = None  # A run without patience; a damaged file is named when read.
  return sorted(newest_first, key=lambda step: step != best)


class _RefusedError(Exception):
  """The caller refuses variables, whose files are good."""


def has_checkpoint(workdir: str | pathlib.Path) -> bool:
  """Whether a run has saved a complete checkpoint in its workdir."""
  return bool(_steps(pathlib.Path(workdir).expanduser() / CHECKPOINTS))


def _steps(directory: pathlib.Path) -> list[int]:
  """Returns the steps of the complete checkpoints in a folder."""
  return ocp.utils.checkpoint_steps(directory) if directory.is_dir() else []


def read_tree(path: pathlib.Path, check: Check | None = None) -> Tree:
  """Reads the arrays that Orbax saved, as nested dicts, on one device.

  Args:
    path: The folder that Orbax wrote.
    check: Called with the shapes before any value is read; an error that it
      raises stops the reading.

  Raises:
    ValueError: If it cannot be read, something else than arrays of numbers is
      saved, special files are in the folder, or the arrays are by their headers
      far larger than their files, see `untrusted.sizes`.
  """
  with ocp.StandardCheckpointer() as reader, _without_warnings():
    packed = _bytes_of_files(path)
    with _naming(path):
      described = reader.metadata(path).item_metadata
      if described is None:
        raise ValueError("the description of the arrays is missing or damaged")
    whole = functools.partial(_whole_array, path)
    target = jax.tree.map_with_path(whole, described.tree)
    unpacked = sum(
      math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in jax.tree.leaves(target)
    )
    check_unpacked(str(path), unpacked, packed)
    if check:
      check(target)
    with _naming(path):
      return reader.restore(path, target)


@contextlib.contextmanager
def _naming(path: pathlib.Path) -> Iterator[None]:
  """Names the folder in Orbax's errors of damaged files, of any kind."""
  try:
    yield
  except Exception as error:
    words = str(error).strip().splitlines() or [type(error).__name__]
    raise ValueError(
      f"the arrays in {path} cannot be read: {words[0][:300]}"
    ) from error


def _bytes_of_files(folder: pathlib.Path) -> int:
  """Returns the size of all files; ValueError if there are special ones."""
  total = 0
  for place, folders, files in os.walk(folder):
    links = [name for name in folders if os.path.islink(f"{place}/{name}")]
    special = [
      name
      for name in files
      if os.path.exists(f"{place}/{name}") and not os.path.isfile(f"{place}/{name}")
    ]
    if links or special:
      raise ValueError(
        f"{place} must hold only folders, files and links to files, got "
        f"{(links + special)[0]!r}."
      )
    total += sum(
      os.path.getsize(f"{place}/{name}")
      for name in files
      if os.path.exists(f"{place}/{name}")
    )
  return total


@contextlib.contextmanager
def _without_warnings() -> Iterator[None]:
  """Silences Orbax, whose errors are raised too.

  It misses a file in the parts of a run's checkpoint; none is needed. What else
  is logged meanwhile, by this thread or another, is not touched.
  """
  logger = logging.get_absl_logger()

  def is_of_others(record: Any) -> bool:
    return "orbax" not in record.pathname

  logger.addFilter(is_of_others)
  try:
    yield
  finally:
    logger.removeFilter(is_of_others)


def first_line(error: Exception) -> str:
  """Returns the first line of an error's message, without a stop."""
  said = str(error).strip().split("\n", maxsplit=1)[0].removesuffix(".")
  return said or type(error).__name__


def load_variables(directory: str | pathlib.Path, check: Check | None = None) -> Tree:
  """Reads {"params", "batch_stats"} of a model or of a run.

  Of a run that is the newest checkpoint, and the moving averages where it kept
  them; adapters are merged into their kernels.

  Args:
    directory: Folder that `convert_weights` wrote, a run's workdir, or its
      folder of checkpoints.
    check: Called with the shapes of the variables before they are read.

  Raises:
    FileNotFoundError: If there is no complete checkpoint.
    ValueError: If a file is damaged or missing, or see `read_tree`; of a run
      the checkpoint before is read, if there is one.
  """

  def check_variables(state: Tree) -> None:
    shapes = _variables(state)
    check_factors(shapes["params"])
    if check:
      check({**shapes, "params": without_factors(shapes["params"])})

  folder = pathlib.Path(directory).expanduser().absolute()
  is_run = (folder / CHECKPOINTS).is_dir()
  # A list without the file means that the file is lost.
  if not is_run and any((folder / x).exists() for x in (VARIABLES_FILE, DIGESTS)):
    check_digests(folder, needed=[VARIABLES_FILE])
    return {"batch_stats": {}, **read_arrays(folder / VARIABLES_FILE, check)}
  model = folder / VARIABLES
  if model.is_dir():
    try:
      check_digests(model)
      return {"batch_stats": {}, **read_tree(model, check)}
    except ValueError:
      raise
    except Exception as error:  # Orbax raises whatever a damage leads to.
      raise ValueError(
        f"the variables in {model} cannot be read: {first_line(error)}."
      ) from error
  variables = _variables(read_state(directory, check_variables))
  return {**variables, "params": merge(variables["params"])}


def read_arrays(path: pathlib.Path, check: Check | None = None) -> Tree:
  """Reads the arrays of a safetensors file as nested dicts, on one device.

  Args:
    path: The file; the names of its arrays are the paths of leaves.
    check: See `read_tree`.

  Raises:
    ValueError: If it is damaged, or its arrays are not of this library, or see
      `read_tree`.
  """
  if not path.is_file():  # A pipe would wait for ever.
    raise ValueError(f"{path} must be a file.")
  try:
    leaves = read_safetensors(path)
  except ValueError as error:
    raise ValueError(f"{path} is {error}") from None
  try:
    leaves = join_scales(leaves)
  except ValueError as error:
    raise ValueError(f"{path}: {error}") from None
  if foreign := [name for name in leaves if not name.startswith(_COLLECTIONS)]:
    raise ValueError(
      f"{path} holds weights of another program, {foreign[0]!r} among them: "
      "`python -m convert_weights` converts them."
    )
  device = jax.sharding.SingleDeviceSharding(jax.local_devices()[0])
  tree: Tree = {}
  for name in sorted(leaves):  # A name comes before those that it begins.
    *folders, last = name.split("/")
    if len(folders) > _DEEPEST:
      raise ValueError(f"{path}: {name[:80]}... has more than {_DEEPEST} parts.")
    place = tree
    for folder in folders:
      place = place.setdefault(folder, {})
      if not isinstance(place, dict):
        raise ValueError(f"{path}: {name} is within another array.")
    place[last] = leaves[name]
  if check:
    check(
      jax.tree.map(
        lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=device),
        tree,
      )
    )
  # Copies: an array of jax may not change with the file.
  return jax.tree.map(lambda leaf: jax.device_put(np.array(leaf), device), tree)


def _variables(state: Tree) -> Tree:
  """Returns the variables of a run's state that are evaluated."""
  evaluated = state.get("ema") or {
    name: state[name] for name in ("params", "batch_stats") if name in state
  }
  if "params" not in evaluated:
    raise ValueError(f"the state has no 'params', only {sorted(state)[:9]}.")
  return {"batch_stats": {}, **evaluated}


def _whole_array(
  folder: pathlib.Path, path: Any, metadata: Any
) -> jax.ShapeDtypeStruct:
  """A target that any machine can hold: the whole array on one device."""
  shape, dtype = (getattr(metadata, name, None) for name in ("shape", "dtype"))
  if shape is None or dtype is None or dtype.kind not in "biufcV":
    name = jax.tree_util.keystr(path, simple=True, separator="/")
    raise ValueError(
      f"{folder}: {name} must be an array of numbers, got "
      f"{dtype or type(metadata).__name__}."
    )
  device = jax.sharding.SingleDeviceSharding(jax.local_devices()[0])
  return jax.ShapeDtypeStruct(metadata.shape, metadata.dtype, sharding=device)
