"""TFDS builders written by hand, by name; none is imported before its use."""

import importlib
from collections.abc import Mapping
from types import MappingProxyType

from temporal_jax.lookup import lookup

# Name -> module and class.
DATASETS: Mapping[str, tuple[str, str]] = MappingProxyType(
  {
    "camera_motion": (
      "temporal_jax.data.datasets.camera_motion",
      "CameraMotion",
    ),
  }
)


def find_builder(name: str) -> type:
  """Returns the builder class of a data set.

  Raises:
    ValueError: If the name is not in `DATASETS`.
  """
  module, builder = lookup(DATASETS, name, "data set")
  return getattr(importlib.import_module(module), builder)
