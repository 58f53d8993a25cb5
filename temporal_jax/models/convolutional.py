"""The named networks of 2-D convolutions: the catalog's rows of them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from temporal_jax import ops
from temporal_jax.models.big_little_net import BigLittleNet
from temporal_jax.models.convnext_net import ConvNeXt
from temporal_jax.models.resnet import ResNet

_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
# TAda's configurations state these.
_TADA = ((0.45, 0.45, 0.45), (0.225, 0.225, 0.225))
_BLVNET = "arXiv:1912.00869, table 5; IBM/bLVNet-TAM"
_BLRESNET = "arXiv:1807.03848; IBM/BigLittleNet"
_TADA2D = "arXiv:2110.06178; alibaba-mmai-research/TAdaConv"
_CONVNEXT = "arXiv:2201.03545; facebookresearch/ConvNeXt"
_TADACONVNEXT = "arXiv:2308.05787, table 7; alibaba-mmai-research/TAdaConv"


def _row(
  module: type,
  kwargs: Mapping[str, Any],
  temporal: str,
  frames: int,
  source: str,
  statistics: tuple = _IMAGENET,
) -> tuple:
  """Returns the fields of a `ModelSpec`."""
  clip_shape = (frames, 224, 224)
  return (
    module,
    MappingProxyType(kwargs),
    temporal,
    clip_shape,
    *statistics,
    source,
  )


_TADA2D_KWARGS = {
  "block": "bottleneck",
  "stage_sizes": (3, 4, 6, 3),
  "stem": "7x7",
  "strides": (2, 2, 2, 2),
  "consensus": "features",
}
_BIG_LITTLE = {50: (3, 4, 6, 3), 101: (4, 8, 18, 3)}
_CONVNEXTS = {
  "tiny": ((3, 3, 9, 3), (96, 192, 384, 768), "48"),
  "small": ((3, 3, 27, 3), (96, 192, 384, 768), "48"),
  "base": ((3, 3, 27, 3), (128, 256, 512, 1024), "64"),
}


def _big_little(depth: int, temporal: str, alternate: bool) -> tuple:
  kwargs = {"stage_sizes": _BIG_LITTLE[depth], "alternate": alternate}
  source = _BLVNET if alternate else _BLRESNET
  frames = 16 if alternate else 8
  return _row(BigLittleNet, kwargs, temporal, frames, source)


def _convnext(size: str) -> tuple:
  stage_sizes, widths, _ = _CONVNEXTS[size]
  kwargs = {"stage_sizes": stage_sizes, "widths": widths}
  return _row(ConvNeXt, kwargs, "none", 16, _CONVNEXT)


def _tadaconvnext(size: str) -> tuple:
  stage_sizes, widths, head_width = _CONVNEXTS[size]
  kwargs = {
    "stage_sizes": stage_sizes,
    "widths": widths,
    "tubelet": (3, 2),
    "activation": ops.quick_gelu,
    "consensus": "features",
  }
  temporal = f"adaptive_attention_{head_width}"
  return _row(ConvNeXt, kwargs, temporal, 16, _TADACONVNEXT, _TADA)


# The fields of a `ModelSpec` by name.
ROWS: Mapping[str, tuple] = MappingProxyType(
  {
    "tada2d_resnet50": _row(
      ResNet, _TADA2D_KWARGS, "adaptive", 8, _TADA2D, _TADA
    ),
    "blresnet50": _big_little(50, "none", False),
    "blresnet101": _big_little(101, "none", False),
    "tsn_blresnet50": _big_little(50, "none", False),
    "blvnet_50": _big_little(50, "none", True),
    "blvnet_101": _big_little(101, "none", True),
    "blvnet_tsm_50": _big_little(50, "shift", True),
    "blvnet_tam_50": _big_little(50, "aggregation", True),
    "blvnet_tam_101": _big_little(101, "aggregation", True),
    **{f"convnext_{size}": _convnext(size) for size in _CONVNEXTS},
    **{f"tadaconvnextv2_{size}": _tadaconvnext(size) for size in _CONVNEXTS},
  }
)
