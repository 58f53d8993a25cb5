"""Finds the folder of a network: a path, a bundled one, or one of the hub."""

import os
import pathlib

from temporal_jax import hub
from temporal_jax.saved_networks import bundled


def find_folder(name: str | os.PathLike) -> pathlib.Path:
  """Returns the folder of a network on this machine; it may not exist.

  Args:
    name: A path; where there is none, a name of `bundled.NAMES`; or an address
      hf://org/name, whose repository is downloaded, see `hub.fetch`.

  Raises:
    ImportError: See `hub.fetch`.
    ValueError: If a repository has weights of another library, or see
      `hub.fetch`.
  """
  if hub.is_address(name):
    snapshot = hub.fetch(name)
    if not snapshot.is_own:
      raise ValueError(
        f"{name} has weights of another library, in {snapshot.path.name}: convert "
        f"them, `python -m convert_weights NAME {name} OUT`, and take OUT."
      )
    return snapshot.path
  path = pathlib.Path(name).expanduser().absolute()
  if os.fspath(name) in bundled.NAMES and not path.exists():
    return bundled.find(os.fspath(name))
  return path
