"""Checks the values of weights before they are used."""

from collections.abc import Mapping

import jax.numpy as jnp
import numpy as np

_PART = 2**18  # Values looked at in one go, so that little memory is used.


def non_finite(tensors: Mapping[str, np.ndarray]) -> list[str]:
  """Returns the names of the tensors with a NaN or an infinity in them."""
  return [name for name, tensor in tensors.items() if not _finite(tensor)]


def _finite(tensor: np.ndarray) -> bool:
  if not jnp.issubdtype(tensor.dtype, jnp.inexact):
    return True
  flags = ["external_loop", "buffered", "zerosize_ok"]
  parts = np.nditer(tensor, flags=flags, buffersize=_PART)
  return all(np.isfinite(part).all() for part in parts)
