"""CLIP's image towers in arguments of `VisionTransformer`, by their sizes."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

CLIP_FORM: Mapping[str, Any] = MappingProxyType(
  {
    "activation": "quick_gelu",
    "epsilon": 1e-5,
    "patch_bias": False,
    "pre_norm": True,
  }
)
BASE = MappingProxyType({"width": 768, "depth": 12, "num_heads": 12, "projection": 512})
LARGE = MappingProxyType(
  {"width": 1024, "depth": 24, "num_heads": 16, "projection": 768}
)
# Patches, and the grid of learned positions, by the name of the size.
SIZES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
  {
    "b32": {**BASE, "patch_size": 32, "grid": 7},
    "b16": {**BASE, "patch_size": 16, "grid": 14},
    "l14": {**LARGE, "patch_size": 14, "grid": 16},
    "l14_336": {**LARGE, "patch_size": 14, "grid": 24},
  }
)


def side(kwargs: Mapping[str, Any]) -> int:
  """Returns the side of frames, in pixels, that the learned positions fit."""
  return kwargs["patch_size"] * kwargs["grid"]
