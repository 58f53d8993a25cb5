"""Data sets made by code, by name; none is imported before its use."""

import importlib
import types
from collections.abc import Mapping
from types import MappingProxyType

from temporal_jax.lookup import lookup

# TFDS builders of clips: name -> module and class.
DATASETS: Mapping[str, tuple[str, str]] = MappingProxyType(
  {
    "camera_motion": (
      "temporal_jax.data.datasets.camera_motion",
      "CameraMotion",
    ),
    "camera_motion_large": (
      "temporal_jax.data.datasets.camera_motion",
      "CameraMotionLarge",
    ),
    "compound_motion": (
      "temporal_jax.data.datasets.camera_motion",
      "CompoundMotion",
    ),
    "something_moves": (
      "temporal_jax.data.datasets.something_moves",
      "SomethingMoves",
    ),
    "something_moves_large": (
      "temporal_jax.data.datasets.something_moves",
      "SomethingMovesLarge",
    ),
  }
)
# Films with segments: name -> module with `VERSION` and `write_films`.
FILMS: Mapping[str, str] = MappingProxyType(
  {"camera_motion_events": "temporal_jax.data.datasets.camera_motion_events"}
)


def find_builder(name: str) -> type:
  """Returns the builder class of a data set.

  Raises:
    ValueError: If the name is not in `DATASETS`.
  """
  module, builder = lookup(DATASETS, name, "data set")
  return getattr(importlib.import_module(module), builder)


def find_films(name: str) -> types.ModuleType:
  """Returns the module of a data set of films.

  Raises:
    ValueError: If the name is not in `FILMS`.
  """
  return importlib.import_module(lookup(FILMS, name, "data set of films"))
