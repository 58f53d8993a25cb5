"""Catalog of big-little nets and ConvNeXts over frames, with operators."""

import functools
from collections.abc import Mapping

from temporal_jax.models.backbones.big_little import BigLittleNet
from temporal_jax.models.backbones.convnext import ConvNeXt
from temporal_jax.models.catalog import accuracy_tables as tables, entry
from temporal_jax.models.catalog.entry import Entry, ReferenceCost

_blresnet = functools.partial(
  Entry,
  module=BigLittleNet,
  clip_shape=(8, 224, 224),
  pixels=entry.IMAGENET,
  paper="arXiv:1807.03848",
  repository="IBM/BigLittleNet",
  weights="https://github.com/IBM/BigLittleNet",
)
_blvnet = functools.partial(
  Entry,
  module=BigLittleNet,
  clip_shape=(16, 224, 224),
  pixels=entry.IMAGENET,
  paper="arXiv:1912.00869, table 5",
  repository="IBM/bLVNet-TAM",
)
_blvnet_tam = functools.partial(
  _blvnet, temporal="aggregation", weights="https://github.com/IBM/bLVNet-TAM"
)
_BLRESNET_50 = {"stage_sizes": (3, 4, 6, 3), "alternate": False}
_BLRESNET_101 = {"stage_sizes": (4, 8, 18, 3), "alternate": False}
_BLVNET_50 = {"stage_sizes": (3, 4, 6, 3), "alternate": True}
_BLVNET_101 = {"stage_sizes": (4, 8, 18, 3), "alternate": True}

_convnext = functools.partial(
  Entry,
  module=ConvNeXt,
  clip_shape=(16, 224, 224),
  pixels=entry.IMAGENET,
  paper="arXiv:2201.03545",
  repository="facebookresearch/ConvNeXt",
  weights="https://github.com/facebookresearch/ConvNeXt",
)
_tadaconvnextv2 = functools.partial(
  Entry,
  module=ConvNeXt,
  temporal="adaptive_attention",
  clip_shape=(16, 224, 224),
  pixels=entry.TADA,
  paper="arXiv:2308.05787, tables 7 to 9",
  repository="alibaba-mmai-research/TAdaConv",
  weights="https://github.com/alibaba-mmai-research/TAdaConv/blob/main/MODEL_ZOO.md",
)
_TINY = {"stage_sizes": (3, 3, 9, 3), "widths": (96, 192, 384, 768)}
_SMALL = {"stage_sizes": (3, 3, 27, 3), "widths": (96, 192, 384, 768)}
_BASE = {"stage_sizes": (3, 3, 27, 3), "widths": (128, 256, 512, 1024)}
# Patches of the stem span frames in TAdaConvNeXt, of both versions.
_TADACONVNEXT = {"tubelet": (3, 2), "average_first": True}
_TADACONVNEXTV2 = {**_TADACONVNEXT, "activation": "quick_gelu"}

ENTRIES: Mapping[str, Entry] = {
  "blresnet50": _blresnet(kwargs=_BLRESNET_50),
  "blresnet101": _blresnet(kwargs=_BLRESNET_101),
  "tsn_blresnet50": _blresnet(kwargs=_BLRESNET_50),
  "blvnet_50": _blvnet(
    kwargs=_BLVNET_50,
    accuracies=(*tables.BLVNET_5.row(33.6, views=(1, 1)),),
  ),
  "blvnet_101": _blvnet(kwargs=_BLVNET_101),
  "blvnet_tsm_50": _blvnet(
    kwargs=_BLVNET_50,
    temporal="shift",
    accuracies=(*tables.BLVNET_5.row(44.2, views=(1, 1)),),
  ),
  "blvnet_tam_50": _blvnet_tam(
    kwargs=_BLVNET_50,
    reference_cost=ReferenceCost(
      params=25_020_142,
      gmacs=11.926,
      clip_shape=(8, 224, 224),
      num_classes=174,
      paper="25.0 M; 23.8 at 16 frames (tables 1, 2)",
    ),
    accuracies=(
      *tables.BLVNET_1.row(46.4, start="ImageNet", frames=16, views=(1, 1)),
      *tables.BLVNET_1.row(48.4, start="SSv1", frames=32, views=(1, 1)),
      *tables.BLVNET_2.row(59.1, start="ImageNet", frames=16, views=(1, 1)),
      *tables.BLVNET_2.row(61.7, start="SSv2", frames=32, views=(1, 1)),
      *tables.BLVNET_3.row(71.0, start="ImageNet", frames=16, views=(3, 3)),
      *tables.BLVNET_3.row(72.0, start="Kinetics", frames=32, views=(3, 3)),
      *tables.BLVNET_3.row(73.5, start="Kinetics", frames=48, views=(3, 3)),
      *tables.BLVNET_4.row(31.2, start="ImageNet", frames=16, views=(1, 1)),
      *tables.BLVNET_4.row(31.4, start="Moments", frames=32, views=(1, 1)),
    ),
  ),
  "blvnet_tam_101": _blvnet_tam(
    kwargs=_BLVNET_101,
    reference_cost=ReferenceCost(
      params=40_177_134,
      gmacs=16.075,
      clip_shape=(8, 224, 224),
      num_classes=174,
      paper="40.2 M; 32.1 at 16 frames (tables 1, 2)",
    ),
    accuracies=(
      *tables.BLVNET_1.row(47.8, start="ImageNet", frames=16, views=(1, 1)),
      *tables.BLVNET_1.row(49.6, start="SSv1", frames=32, views=(1, 1)),
      *tables.BLVNET_1.row(52.2, start="SSv1", frames=48, views=(1, 1)),
      *tables.BLVNET_1.row(53.1, start="SSv1", frames=64, views=(1, 1)),
      *tables.BLVNET_2.row(60.2, start="ImageNet", frames=16, views=(1, 1)),
      *tables.BLVNET_2.row(61.9, start="SSv2", frames=32, views=(1, 1)),
      *tables.BLVNET_2.row(64.0, start="SSv2", frames=48, views=(1, 1)),
      *tables.BLVNET_2.row(65.2, start="SSv2", frames=64, views=(1, 1)),
    ),
  ),
  "convnext_tiny": _convnext(
    kwargs=_TINY,
    reference_cost=ReferenceCost(
      params=28_589_128, gmacs=4.456, clip_shape=(1, 224, 224), num_classes=1000
    ),
  ),
  "convnext_small": _convnext(
    kwargs=_SMALL,
    reference_cost=ReferenceCost(
      params=50_223_688, gmacs=8.684, clip_shape=(1, 224, 224), num_classes=1000
    ),
  ),
  "convnext_base": _convnext(
    kwargs=_BASE,
    reference_cost=ReferenceCost(
      params=88_591_464, gmacs=15.355, clip_shape=(1, 224, 224), num_classes=1000
    ),
  ),
  "tadaconvnext_tiny": Entry(
    module=ConvNeXt,
    kwargs={**_TINY, **_TADACONVNEXT},
    temporal="adaptive_depthwise",
    clip_shape=(32, 224, 224),
    pixels=entry.TADA,
    paper="arXiv:2110.06178",
    repository="modelscope/modelscope",
    weights="https://modelscope.cn/models/damo/cv_TAdaConv_action-recognition",
    reference_cost=ReferenceCost(
      params=38_661_688,
      gmacs=71.859,
      clip_shape=(32, 224, 224),
      paper="38.6 M; 94 at 256 (table 7)",
    ),
    accuracies=(
      *tables.TADA_7.row(79.1, start="ImageNet-1k", frames=32, views=(4, 3)),
      *tables.TADA_9.row(None, 67.1, frames=32, views=(2, 3)),
    ),
  ),
  "tadaconvnextv2_tiny": _tadaconvnextv2(
    kwargs={**_TINY, **_TADACONVNEXTV2},
    reference_cost=ReferenceCost(
      params=45_971_488,
      gmacs=36.012,
      clip_shape=(16, 224, 224),
      paper="45.9 M; 47 at 256 (table 7)",
    ),
    accuracies=(
      *tables.TADA_7.row(79.6, start="ImageNet-1k", frames=16, views=(4, 3)),
      *tables.TADA_7.row(80.8, start="ImageNet-1k", frames=32, views=(4, 3)),
      *tables.TADA_9.row(54.1, 67.2, frames=16, views=(2, 3)),
      *tables.TADA_9.row(56.4, 69.8, frames=32, views=(2, 3)),
    ),
  ),
  "tadaconvnextv2_small": _tadaconvnextv2(
    kwargs={**_SMALL, **_TADACONVNEXTV2},
    reference_cost=ReferenceCost(
      params=82_249_120,
      gmacs=69.955,
      clip_shape=(16, 224, 224),
      paper="82.2 M; 91 at 256 (table 7)",
    ),
    accuracies=(
      *tables.TADA_7.row(80.8, start="ImageNet-1k", frames=16, views=(4, 3)),
      *tables.TADA_7.row(81.9, start="ImageNet-1k", frames=32, views=(4, 3)),
      *tables.TADA_7.row(82.9, start="ImageNet-21k", frames=32, views=(4, 3)),
      *tables.TADA_8.row(86.1, start="K710", frames=32, views=(4, 3)),
      *tables.TADA_9.row(55.6, 68.4, frames=16, views=(2, 3)),
      *tables.TADA_9.row(58.5, 70.0, frames=32, views=(2, 3)),
      *tables.TADA_9.row(
        59.7, 70.6, start="ImageNet-21k, K400", frames=32, views=(2, 3)
      ),
    ),
  ),
  "tadaconvnextv2_base": _tadaconvnextv2(
    kwargs={**_BASE, **_TADACONVNEXTV2},
    reference_cost=ReferenceCost(
      params=145_687_632,
      gmacs=123.6,
      clip_shape=(16, 224, 224),
      paper="145.7 M; 162 at 256 (table 7)",
    ),
    accuracies=(
      *tables.TADA_7.row(81.4, start="ImageNet-1k", frames=16, views=(4, 3)),
      *tables.TADA_7.row(82.3, start="ImageNet-1k", frames=32, views=(4, 3)),
      *tables.TADA_7.row(83.7, start="ImageNet-21k", frames=32, views=(4, 3)),
      *tables.TADA_8.row(86.4, start="K710", frames=32, views=(4, 3)),
      *tables.TADA_9.row(
        60.7, 71.1, start="ImageNet-21k, K400", frames=32, views=(2, 3)
      ),
    ),
  ),
}
