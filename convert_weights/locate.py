"""Finds a checkpoint: on this machine, or in a repository of the hub."""

from temporal_jax.saved_networks.find import Located, locate


def locate_checkpoint(name: str) -> Located:
  """Returns a checkpoint of a path or of an address hf://org/name.

  Raises:
    FileNotFoundError: See `locate`.
    ImportError: See `locate`.
    ValueError: If it is a network of this library, or see `locate`.
  """
  found = locate(name)
  if found.is_own:
    raise ValueError(
      f"{name} is a network of this library, and needs no conversion: --model and "
      "--config.init_from take it."
    )
  return found
