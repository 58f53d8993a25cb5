"""Residual networks over time and space.

All as alibaba-mmai-research/TAdaConv builds them, and those of 50 layers with
its TAdaConv for their convolutions. Its paper counts R(2+1)D-50 at 256 pixels
as 49.55 G multiply-adds; its code, whose stem does not pool, makes them 91.67.
R3D-50 has no published settings; these have the paper's 47.0 M parameters and
83.83 G, where it counts 84.23.
"""

from collections.abc import Mapping
from types import MappingProxyType

from temporal_jax.models.backbones.resnet3d import ResNet3D
from temporal_jax.models.backbones.slowfast import SlowFast
from temporal_jax.models.catalog import entry
from temporal_jax.models.catalog.entry import ModelSpec

_REPOSITORY = "alibaba-mmai-research/TAdaConv"
_SLOWFAST = f"arXiv:1812.03982; {_REPOSITORY}"
_R3D = f"arXiv:1711.11248; {_REPOSITORY}"
_TADA = f"arXiv:2110.06178, table 3, on {{}}; {_REPOSITORY}"

_BASIC_10 = {"block": "basic", "stage_sizes": (1, 1, 1, 1)}
_BASIC_18 = {"block": "basic", "stage_sizes": (2, 2, 2, 2)}
_STRIDES = {"time_strides": (1, 1, 2, 2, 2)}
_R2PLUS1D = {"factorised": True, "stem_pool": False, **_STRIDES}
_LATE_TAPS = {
  "taps": (1, 1, 1, 3, 3),
  "widths": (64, 128, 256, 256),
  "time_strides": (1, 1, 1, 2, 2),
}
_SLOW_TAPS = {"taps": (1, 1, 1, 1, 1), "first_taps": (1, 1, 3, 3)}
_4X16 = {"alpha": 8, "lateral_taps": 5}
_8X8 = {"alpha": 4, "lateral_taps": 7}

# Name -> class, arguments, clip, source.
_PLAIN = {
  "slowonly_50": (ResNet3D, _SLOW_TAPS, (8, 224, 224), _SLOWFAST),
  "slowfast_50_4x16": (SlowFast, _4X16, (32, 224, 224), _SLOWFAST),
  "slowfast_50_8x8": (SlowFast, _8X8, (32, 224, 224), _SLOWFAST),
  "r2plus1d_10": (ResNet3D, _R2PLUS1D | _BASIC_10, (16, 112, 112), _R3D),
  "r2plus1d_18": (ResNet3D, _R2PLUS1D | _BASIC_18, (16, 112, 112), _R3D),
  "r2plus1d_50": (ResNet3D, _R2PLUS1D, (8, 224, 224), _R3D),
  "r2d3d_18": (ResNet3D, _LATE_TAPS | _BASIC_18, (16, 112, 112), _R3D),
  "r3d_18": (ResNet3D, _STRIDES | _BASIC_18, (16, 112, 112), _R3D),
  "r3d_50": (ResNet3D, {}, (8, 224, 224), _R3D),
}
_ADAPTIVE = {
  f"{name}_tada": (name, "adaptive_convolution") for name in _PLAIN if "_50" in name
} | {"r2plus1d_50_tada1d": ("r2plus1d_50", "adaptive_space_and_time")}


def _row(name: str, temporal: str) -> ModelSpec:
  module, kwargs, clip_shape, source = _PLAIN[name]
  if temporal != "none":
    source = _TADA.format(source.split(";")[0])
  return entry.row(module, kwargs, temporal, clip_shape, entry.TADA, source)


ROWS: Mapping[str, ModelSpec] = MappingProxyType(
  {
    **{name: _row(name, "none") for name in _PLAIN},
    **{name: _row(*origin) for name, origin in _ADAPTIVE.items()},
  }
)
