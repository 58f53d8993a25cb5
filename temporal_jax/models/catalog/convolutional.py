"""Big-little nets and ConvNeXts over frames, and what is built on them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from temporal_jax.models.backbones.big_little import BigLittleNet
from temporal_jax.models.backbones.convnext import ConvNeXt
from temporal_jax.models.catalog import entry
from temporal_jax.models.catalog.entry import ModelSpec

_BLVNET = "arXiv:1912.00869, table 5; IBM/bLVNet-TAM"
_BLRESNET = "arXiv:1807.03848; IBM/BigLittleNet"
_CONVNEXT = "arXiv:2201.03545; facebookresearch/ConvNeXt"
_TADACONVNEXT = "arXiv:2110.06178; modelscope/modelscope"
_TADACONVNEXTV2 = "arXiv:2308.05787, table 7; alibaba-mmai-research/TAdaConv"
# Patches of the stem, over frames, as TAdaConvNeXt of both versions has them.
_TADACONVNEXT_FORM = {"tubelet": (3, 2), "average_first": True}

_BIG_LITTLE = {50: (3, 4, 6, 3), 101: (4, 8, 18, 3)}
_CONVNEXTS = {
  "tiny": ((3, 3, 9, 3), (96, 192, 384, 768)),
  "small": ((3, 3, 27, 3), (96, 192, 384, 768)),
  "base": ((3, 3, 27, 3), (128, 256, 512, 1024)),
}


def _big_little(depth: int, temporal: str, alternate: bool) -> ModelSpec:
  kwargs = {"stage_sizes": _BIG_LITTLE[depth], "alternate": alternate}
  source = _BLVNET if alternate else _BLRESNET
  frames = 16 if alternate else 8
  clip_shape = (frames, 224, 224)
  return entry.row(BigLittleNet, kwargs, temporal, clip_shape, entry.IMAGENET, source)


def _convnext(
  size: str,
  temporal: str = "none",
  frames: int = 16,
  pixels: entry.Pixels = entry.IMAGENET,
  source: str = _CONVNEXT,
  **form: Any,
) -> ModelSpec:
  stage_sizes, widths = _CONVNEXTS[size]
  kwargs = {"stage_sizes": stage_sizes, "widths": widths, **form}
  clip_shape = (frames, 224, 224)
  return entry.row(ConvNeXt, kwargs, temporal, clip_shape, pixels, source)


def _tadaconvnextv2(size: str) -> ModelSpec:
  return _convnext(
    *(size, "adaptive_attention", 16, entry.TADA, _TADACONVNEXTV2),
    activation="quick_gelu",
    **_TADACONVNEXT_FORM,
  )


ROWS: Mapping[str, ModelSpec] = MappingProxyType(
  {
    "blresnet50": _big_little(50, "none", False),
    "blresnet101": _big_little(101, "none", False),
    "tsn_blresnet50": _big_little(50, "none", False),
    "blvnet_50": _big_little(50, "none", True),
    "blvnet_101": _big_little(101, "none", True),
    "blvnet_tsm_50": _big_little(50, "shift", True),
    "blvnet_tam_50": _big_little(50, "aggregation", True),
    "blvnet_tam_101": _big_little(101, "aggregation", True),
    **{f"convnext_{size}": _convnext(size) for size in _CONVNEXTS},
    "tadaconvnext_tiny": _convnext(
      *("tiny", "adaptive_depthwise", 32, entry.TADA, _TADACONVNEXT),
      **_TADACONVNEXT_FORM,
    ),
    **{f"tadaconvnextv2_{size}": _tadaconvnextv2(size) for size in _CONVNEXTS},
  }
)
