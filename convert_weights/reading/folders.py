"""Folders of weights, as `save_pretrained` writes them."""

import pathlib
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from convert_weights.reading.errors import CheckpointError
from temporal_jax.hub.weight_files import FOREIGN_WEIGHTS, INDEX_SUFFIX, read_index

_SHARD = re.compile(r".+-\d+-of-0*(\d+)\.(safetensors|bin)")
# Files of other programs -> their kind.
_OTHERS = {
  "adapter_config.json": (
    "an adapter (LoRA); merge it into its network first, e.g. with peft's "
    "merge_and_unload"
  ),
  "tf_model.h5": "TensorFlow's weights",
  "flax_model.msgpack": "Flax's weights",
  "model.json": "a converted network of this library",
}


class Folder(NamedTuple):
  """Files of weights in a folder.

  Attributes:
    name: File that lists them, or the only one, e.g. "model.safetensors".
    files: The files.
    places: Tensor -> name of its file; empty if there is one file.
    unread: Names of other files of weights, which are not read.
  """

  name: str
  files: tuple[pathlib.Path, ...]
  places: Mapping[str, str]
  unread: tuple[str, ...] = ()


def find(path: pathlib.Path) -> Folder:
  """Finds the weights in a folder.

  Raises:
    CheckpointError: If there are none, an index is damaged, lists files outside
      of the folder, or one that does not exist.
  """
  there = [name for name in FOREIGN_WEIGHTS if (path / name).is_file()]
  if not there:
    held = sorted(p.name for p in path.iterdir())
    known = (what for name, what in _OTHERS.items() if name in held)
    what = next(known, "")
    listed = f"{held[:5]}{' and more' * (len(held) > 5)}" if held else "nothing"
    raise CheckpointError(
      f"a directory without weights{f', but with {what}' if what else ''}; it "
      f"holds {listed}, allowed are {list(FOREIGN_WEIGHTS)}."
    )
  name, *unread = there
  if not name.endswith(INDEX_SUFFIX):
    return Folder(name, (path / name,), {}, tuple(unread))
  return _of_index(path / name)._replace(unread=tuple(unread))


def of_file(path: pathlib.Path) -> Folder:
  """Returns the weights of a file, or of the files that an index lists.

  Raises:
    CheckpointError: If it is one of several files of a network, or an index,
      see `find`.
  """
  shard = _SHARD.fullmatch(path.name)
  if shard and int(shard[1]) > 1:
    raise CheckpointError(
      f"one of {shard[1]} files of a network; give their folder, with its index."
    )
  if path.name.endswith(INDEX_SUFFIX):
    return _of_index(path)
  return Folder(path.name, (path,), {})


def merge(folder: Folder, trees: Mapping[str, Any]) -> dict[str, Any]:
  """Joins the tensors of several files.

  Args:
    folder: The folder.
    trees: Contents of each file, by its name.

  Raises:
    CheckpointError: If the files do not hold exactly the tensors of the index,
      each in its file.
  """
  merged = {}
  for file, tree in trees.items():
    if not isinstance(tree, Mapping):
      raise CheckpointError(f"{file} holds one {type(tree).__name__}.")
    listed = {name for name, place in folder.places.items() if place == file}
    if wrong := sorted(listed ^ tree.keys(), key=str):
      what = "does not hold" if wrong[0] in listed else "holds"
      index = "lists" if wrong[0] in listed else "does not list"
      raise CheckpointError(
        f"{file} {what} {wrong[0]!r}, which {folder.name} {index} there; "
        f"{len(wrong)} tensors differ."
      )
    merged.update(tree)
  return merged


def _of_index(path: pathlib.Path) -> Folder:
  """Returns the files that an index lists."""
  try:
    places = read_index(path)
  except ValueError as error:
    raise CheckpointError(f"{error}") from None
  shards = sorted(set(places.values()))
  if missing := [name for name in shards if not (path.parent / name).is_file()]:
    raise CheckpointError(
      f"{path.name} lists {len(shards)} files; missing are {missing}."
    )
  return Folder(path.name, tuple(path.parent / name for name in shards), places)
