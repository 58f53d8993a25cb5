"""Reads checkpoints from files, safely: weights, or one clear error."""

import os
import pathlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from convert_weights.reading import (
  archives,
  contents,
  folders,
  tensor_files,
  torch_files,
  wrappers,
)
from convert_weights.reading.errors import CheckpointError
from convert_weights.reading.settings import Settings, find_settings

_LONGEST_REASON = 200  # Characters of another library's error.


class Checkpoint(NamedTuple):
  """The weights of a file or a folder, and its other contents.

  Attributes:
    path: The file or the folder.
    files: The files that were read.
    format: Kind of the file: "safetensors", "npz", "torch", "legacy torch" or
      "torchscript".
    tensors: Read-only arrays by their names; large files are memory-mapped.
    wrapper: Names of the entries around them, e.g. "state_dict > module.*".
    ignored: Names of the entries or files next to them that were not read, e.g.
      ("epoch", "optimizer").
    others: Wrappers of other weights: the moving average, or the weights that
      it is of.
    settings: Arguments of the network that the file, or its folder, states.
  """

  path: pathlib.Path
  files: tuple[pathlib.Path, ...]
  format: str
  tensors: Mapping[str, np.ndarray]
  wrapper: str
  ignored: tuple[str, ...]
  others: tuple[str, ...]
  settings: Settings = MappingProxyType({})


def read(
  path: str | os.PathLike, *, ema: bool = False, entry: str | None = None
) -> Checkpoint:
  """Reads a checkpoint; nothing in it is run.

  The format is inferred from the contents: safetensors, npz, or files of
  torch.save or torch.jit.save (these need torch).

  Args:
    path: The file, or a folder as `save_pretrained` writes it, also of several
      files with an index.
    ema: Whether to take the moving average of the weights instead of them.
    entry: Entry of the file that holds the weights, if there are several, e.g.
      "teacher" or "model > state_dict".

  Raises:
    CheckpointError: If the file is no checkpoint, is damaged, would run code,
      or does not hold exactly one set of weights of this kind.
  """
  path = pathlib.Path(path)
  try:
    return _read(path, ema, entry)
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


def _read(path: pathlib.Path, ema: bool, entry: str | None) -> Checkpoint:
  if path.is_dir():
    folder = folders.find(path)
  elif path.is_file():
    folder = folders.of_file(path)
  else:
    raise CheckpointError(
      "there is no file; a checkpoint is a file, or a folder with weights."
    )
  opened = {file.name: _open(file) for file in folder.files}
  kinds, trees, converters = zip(*opened.values(), strict=True)
  tree, to_numpy = trees[0], converters[0]
  if len(set(kinds)) > 1:
    raise CheckpointError(f"holds files of several formats: {sorted(kinds)}.")
  if folder.places:
    tree = folders.merge(folder, dict(zip(opened, trees, strict=True)))
  weights = wrappers.see_through(tree, ema=ema, entry=entry)
  tensors = {name: to_numpy(name, t) for name, t in weights.tensors.items()}
  for array in tensors.values():
    array.setflags(write=False)
  return Checkpoint(
    path=path,
    files=folder.files,
    format=kinds[0],
    tensors=tensors,
    wrapper=weights.wrapper,
    ignored=(*weights.ignored, *folder.unread),
    others=weights.others,
    settings=find_settings(path, kinds[0], tree),
  )


def _open(
  path: pathlib.Path,
) -> tuple[str, Any, Callable[[str, Any], np.ndarray]]:
  """Returns format, contents and a function from tensors to NumPy arrays."""
  with path.open("rb") as file:
    kind = contents.kind(file.read(contents.HEAD))
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
