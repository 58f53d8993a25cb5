"""Finds weights by path, by the name of a bundled network, or by address."""

import os
import pathlib
from collections.abc import Sequence
from typing import NamedTuple

from temporal_jax import hub, storage
from temporal_jax.lookup import did_you_mean
from temporal_jax.models.catalog.registry import MODELS
from temporal_jax.saved_networks import bundled

_DESCRIPTION = hub.weight_files.DESCRIPTION


class Located(NamedTuple):
  """Weights on this machine.

  Attributes:
    path: Their folder or file.
    is_own: Whether they are a network of this library.
    address: The address that they are from, with its commit; None for a path
      and a bundled network.
  """

  path: pathlib.Path
  is_own: bool
  address: hub.Address | None = None

  @property
  def name(self) -> str:
    """The address or the path, for messages."""
    return str(self.address or self.path)


def locate(name: str | os.PathLike) -> Located:
  """Finds weights, of this library or another.

  Args:
    name: A path; where there is none, a name of `bundled.NAMES`; an address
      hf://org/name, whose repository is downloaded, see `hub.fetch`; or
      gs://bucket/folder or s3://bucket/folder, see `storage.fetch_folder`.

  Raises:
    FileNotFoundError: If there is neither.
    ImportError: See `hub.fetch`.
    OSError: If a bucket cannot be read.
    ValueError: See `hub.fetch`; or if a folder in a bucket is no network.
  """
  if storage.is_in_bucket(name):
    folder = storage.fetch_folder(name, lambda found: _own_files(name, found))
    return Located(folder, is_own=True)
  if hub.is_address(name):
    snapshot = hub.fetch(name)
    return Located(snapshot.path, snapshot.is_own, snapshot.address)
  path = pathlib.Path(name).expanduser().absolute()
  if os.fspath(name) in bundled.NAMES and not os.path.exists(path):
    path = bundled.find(os.fspath(name))
  # A name that no file system takes, such as a long one, is not there either.
  if not os.path.exists(path):
    raise FileNotFoundError(_not_there(os.fspath(name), path))
  return Located(path, (path / _DESCRIPTION).is_file())


def find_folder(name: str | os.PathLike) -> pathlib.Path:
  """Returns the folder of a network of this library.

  Args:
    name: See `locate`.

  Raises:
    FileNotFoundError: See `locate`.
    ImportError: See `hub.fetch`.
    ValueError: If a repository has weights of another library, or see
      `hub.fetch`.
  """
  found = locate(name)
  if found.address and not found.is_own:
    raise ValueError(
      f"{name} has weights of another library, in {found.path.name}: convert "
      f"them, `python -m convert_weights NAME {name} OUT`, and take OUT."
    )
  return found.path


def _own_files(address: str, names: Sequence[str]) -> list[str]:
  """Returns the files of a network in a bucket, see `hub.weight_files`."""
  if not hub.weight_files.is_own(names):
    raise ValueError(
      f"{address} must be the folder of a network, {_DESCRIPTION} and "
      f"{hub.weight_files.VARIABLES}; runs and weights of other libraries are read "
      "from this machine: copy them first."
    )
  return hub.weight_files.own_files(names)


def _not_there(name: str, path: pathlib.Path) -> str:
  """Returns the message about a path that does not exist."""
  words = f"there is no file or folder {path}"
  if hint := did_you_mean(name, bundled.NAMES):
    return words + hint
  if name in MODELS:
    return f"{words}; {name} has no weights here."
  if hint := hub.address_hint(name):
    return f"{words}{hint}."
  return f"{words}, and no bundled network of this name, as {bundled.NAMES[0]} is."
