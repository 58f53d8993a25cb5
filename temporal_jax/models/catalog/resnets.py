"""ResNets over frames, as image networks and with TSM, TAM, TAda2D and ATM."""

from collections.abc import Mapping
from types import MappingProxyType

from temporal_jax.models.backbones.resnet import ResNet
from temporal_jax.models.catalog import entry
from temporal_jax.models.catalog.entry import ModelSpec

_SIZES = {
  18: ("basic", (2, 2, 2, 2)),
  34: ("basic", (3, 4, 6, 3)),
  50: ("bottleneck", (3, 4, 6, 3)),
  101: ("bottleneck", (3, 4, 23, 3)),
  152: ("bottleneck", (3, 8, 36, 3)),
}
_TSN = "arXiv:1608.00859 on arXiv:1512.03385; pytorch/vision"
_TSM = "arXiv:1811.08383; mit-han-lab/temporal-shift-module"
_ATM = "arXiv:2307.08908, table A.1; of whwu95/ATM only the module is released"
_TAM = "arXiv:1912.00869, table 5; IBM/bLVNet-TAM"
_TADA2D = "arXiv:2110.06178; alibaba-mmai-research/TAdaConv"
# Without max pooling the first stage strides instead.
_TADA2D_FORM = {
  "stem": "7x7",
  "strides": (2, 2, 2, 2),
  "average_first": True,
}


def _row(
  depth: int, temporal: str, source: str, pixels=entry.IMAGENET, **form
) -> ModelSpec:
  block, stage_sizes = _SIZES[depth]
  kwargs = {"block": block, "stage_sizes": stage_sizes, **form}
  return entry.row(ResNet, kwargs, temporal, (8, 224, 224), pixels, source)


ROWS: Mapping[str, ModelSpec] = MappingProxyType(
  {
    **{f"resnet{depth}": _row(depth, "none", _TSN) for depth in _SIZES},
    **{f"tsn_resnet{depth}": _row(depth, "none", _TSN) for depth in _SIZES},
    **{f"atm_resnet{depth}": _row(depth, "arithmetic", _ATM) for depth in _SIZES},
    "tsm_resnet50": _row(50, "shift", _TSM),
    "aggregation_resnet50": _row(50, "aggregation", _TAM),
    "tada2d_resnet50": _row(50, "adaptive", _TADA2D, entry.TADA, **_TADA2D_FORM),
  }
)
