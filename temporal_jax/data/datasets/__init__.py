"""TFDS builders written by hand, by name; none is imported before its use."""

import difflib
import importlib
from collections.abc import Mapping
from types import MappingProxyType

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
  if name not in DATASETS:
    close = difflib.get_close_matches(name, DATASETS, n=1)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    raise ValueError(f"unknown data set {name!r}{hint}; known: {sorted(DATASETS)}.")
  module, builder = DATASETS[name]
  return getattr(importlib.import_module(module), builder)
