"""Checkpoints are read from files, safely: weights, or one clear error."""

import os
import pathlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from convert_weights.reading import (
  archives,
  contents,
  tensor_files,
  torch_files,
  wrappers,
)
from convert_weights.reading.errors import CheckpointError
from convert_weights.reading.settings import Settings, find_settings

_LONGEST_REASON = 200  # Characters of another library's error.


class Checkpoint(NamedTuple):
  """The weights of a file and what was found around them.

  Attributes:
    path: The file.
    format: What it is: "safetensors", "npz", "torch", "legacy torch" or
      "torchscript".
    tensors: Read-only arrays by their names; those of large files lie in the
      file, memory-mapped.
    wrapper: Names of the entries around them, e.g. "state_dict > module.*".
    ignored: Names of the entries beside them, e.g. ("epoch", "optimizer").
    others: Wrappers of the weights of the other kind: the moving average, or
      the weights that it is of.
    settings: What the file, or its folder, says of the network's arguments.
  """

  path: pathlib.Path
  format: str
  tensors: Mapping[str, np.ndarray]
  wrapper: str
  ignored: tuple[str, ...]
  others: tuple[str, ...]
  settings: Settings = MappingProxyType({})


def read(path: str | os.PathLike, *, ema: bool = False) -> Checkpoint:
  """Reads a checkpoint; nothing in it is run.

  Its contents tell its format: safetensors, npz, or what torch.save or
  torch.jit.save wrote (these need torch).

  Args:
    path: The file.
    ema: Whether to take the moving average of the weights instead of them.

  Raises:
    CheckpointError: If the file is no checkpoint, is damaged, would run code,
      or does not hold exactly one set of weights of this kind.
  """
  path = pathlib.Path(path)
  try:
    return _read(path, ema)
  except CheckpointError as error:
    raise CheckpointError(f"{path}: {error}") from None
  except PermissionError as error:
    raise CheckpointError(f"{path}: {error.strerror}.") from None
  # The libraries that read damaged files raise anything.
  except Exception as error:
    reason = str(error).strip().split("\n")[0][:_LONGEST_REASON]
    raise CheckpointError(
      f"{path}: damaged, or no checkpoint: {type(error).__name__}: {reason}"
    ) from None


def _read(path: pathlib.Path, ema: bool) -> Checkpoint:
  if not path.is_file():
    what = "a directory" if path.is_dir() else "no file"
    raise CheckpointError(f"there is {what}; a checkpoint is a file.")
  with path.open("rb") as file:
    kind = contents.kind(file.read(contents.HEAD))
  kind, tree, to_numpy = _open(path, kind)
  weights = wrappers.see_through(tree, ema=ema)
  tensors = {name: to_numpy(name, t) for name, t in weights.tensors.items()}
  for array in tensors.values():
    array.setflags(write=False)
  return Checkpoint(
    path,
    kind,
    tensors,
    weights.wrapper,
    weights.ignored,
    weights.others,
    find_settings(path, kind, tree),
  )


def _open(
  path: pathlib.Path, kind: str
) -> tuple[str, Any, Callable[[str, Any], np.ndarray]]:
  """Returns a file's format, what it holds, and how its tensors become NumPy's.

  Args:
    path: The file.
    kind: As `contents.kind` says.
  """
  if kind == "safetensors":
    return kind, tensor_files.read_safetensors(path), _as_it_is
  if kind == "legacy":
    tree = torch_files.read_legacy(path)
    return "legacy torch", tree, torch_files.to_numpy
  entries = archives.entries(path)
  kind = archives.kind(entries)
  if kind == "npz":
    return kind, tensor_files.read_npz(path, entries), _as_it_is
  archives.check_sums(path, entries)  # torch itself does not.
  if kind == "torch":
    return kind, torch_files.read_torch(path, entries), torch_files.to_numpy
  return kind, torch_files.read_script(path), torch_files.to_numpy


def _as_it_is(name: str, array: np.ndarray) -> np.ndarray:
  del name
  return array
