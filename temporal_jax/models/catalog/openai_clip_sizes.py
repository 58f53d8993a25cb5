"""CLIP's image towers in arguments of `VisionTransformer`, by their sizes."""

from collections.abc import Mapping
from typing import Any

CLIP_FORM: Mapping[str, Any] = {
  "activation": "quick_gelu",
  "epsilon": 1e-5,
  "patch_bias": False,
  "pre_norm": True,
}
_BASE = {"width": 768, "depth": 12, "num_heads": 12, "projection": 512}
_LARGE = {"width": 1024, "depth": 24, "num_heads": 16, "projection": 768}
# Patches of 32, 16 or 14 pixels; the grid is the learned positions'.
B32: Mapping[str, Any] = {**_BASE, "patch_size": 32, "grid": 7}
B16: Mapping[str, Any] = {**_BASE, "patch_size": 16, "grid": 14}
L14: Mapping[str, Any] = {**_LARGE, "patch_size": 14, "grid": 16}
L14_336: Mapping[str, Any] = {**_LARGE, "patch_size": 14, "grid": 24}
