"""Finds a checkpoint: on this machine, or in a repository of the hub."""

import pathlib
from typing import NamedTuple

from temporal_jax import hub


class Located(NamedTuple):
  """A checkpoint on this machine.

  Attributes:
    path: Its file or folder.
    address: The address that it is from, with its commit; None for a path.
  """

  path: pathlib.Path
  address: str | None = None


def locate(name: str) -> Located:
  """Returns a checkpoint of a path or of an address hf://org/name.

  Raises:
    ImportError: See `hub.fetch`.
    ValueError: If the repository is a network of this library, or see
      `hub.fetch`.
  """
  if not hub.is_address(name):
    return Located(pathlib.Path(name).expanduser())
  snapshot = hub.fetch(name)
  if snapshot.is_own:
    raise ValueError(
      f"{name} is a network of this library, and needs no conversion: --model and "
      "--config.init_from take its address."
    )
  return Located(snapshot.path, str(snapshot.address))
