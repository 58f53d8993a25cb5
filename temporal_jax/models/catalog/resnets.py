"""ResNets over frames, as image networks and with TSM, TAM, TAda2D and ATM."""

import functools
from collections.abc import Mapping

from temporal_jax.models.backbones.resnet import ResNet
from temporal_jax.models.catalog import accuracy_tables as tables, entry
from temporal_jax.models.catalog.entry import Entry, ReferenceCost

_18 = {"block": "basic", "stage_sizes": (2, 2, 2, 2)}
_34 = {"block": "basic", "stage_sizes": (3, 4, 6, 3)}
_50 = {"block": "bottleneck", "stage_sizes": (3, 4, 6, 3)}
_101 = {"block": "bottleneck", "stage_sizes": (3, 4, 23, 3)}
_152 = {"block": "bottleneck", "stage_sizes": (3, 8, 36, 3)}

_resnet = functools.partial(
  Entry, module=ResNet, clip_shape=(8, 224, 224), pixels=entry.IMAGENET
)
# Weights of images; torchvision has none for clips.
_tsn = functools.partial(
  _resnet,
  paper="arXiv:1608.00859 on arXiv:1512.03385",
  repository="pytorch/vision",
  weights="https://github.com/pytorch/vision",
)
_atm = functools.partial(
  _resnet,
  temporal="arithmetic",
  paper="arXiv:2307.08908, table A.1",
  repository="of whwu95/ATM only the module is released",
)

ENTRIES: Mapping[str, Entry] = {
  "resnet18": _tsn(
    kwargs=_18,
    reference_cost=ReferenceCost(
      params=11_689_512, gmacs=1.814, clip_shape=(1, 224, 224), num_classes=1000
    ),
  ),
  "resnet34": _tsn(
    kwargs=_34,
    reference_cost=ReferenceCost(
      params=21_797_672, gmacs=3.664, clip_shape=(1, 224, 224), num_classes=1000
    ),
  ),
  "resnet50": _tsn(
    kwargs=_50,
    reference_cost=ReferenceCost(
      params=25_557_032, gmacs=4.089, clip_shape=(1, 224, 224), num_classes=1000
    ),
  ),
  "resnet101": _tsn(
    kwargs=_101,
    reference_cost=ReferenceCost(
      params=44_549_160, gmacs=7.801, clip_shape=(1, 224, 224), num_classes=1000
    ),
  ),
  "resnet152": _tsn(
    kwargs=_152,
    reference_cost=ReferenceCost(
      params=60_192_808, gmacs=11.514, clip_shape=(1, 224, 224), num_classes=1000
    ),
  ),
  "tsn_resnet18": _tsn(
    kwargs=_18,
  ),
  "tsn_resnet34": _tsn(
    kwargs=_34,
  ),
  "tsn_resnet50": _tsn(
    kwargs=_50,
    accuracies=(*tables.BLVNET_5.row(17.4, views=(1, 1)),),
  ),
  "tsn_resnet101": _tsn(
    kwargs=_101,
  ),
  "tsn_resnet152": _tsn(
    kwargs=_152,
  ),
  "atm_resnet18": _atm(
    kwargs=_18,
    accuracies=(*tables.ATM_A5.row(48.2, start="ImageNet-1k", frames=8),),
  ),
  "atm_resnet34": _atm(
    kwargs=_34,
  ),
  "atm_resnet50": _atm(
    kwargs=_50,
    accuracies=(
      *tables.ATM_A6.row(53.9, 65.5, start="ImageNet-1k", frames=8, views=(1, 1)),
      *tables.ATM_A6.row(54.7, 66.1, start="ImageNet-1k", frames=8, views=(2, 1)),
      *tables.ATM_A6.row(56.3, 67.4, start="ImageNet-1k", frames=16, views=(1, 1)),
      *tables.ATM_A6.row(56.7, 67.6, start="ImageNet-1k", frames=16, views=(2, 1)),
      *tables.ATM_A6.row(57.1, 68.4, start="ImageNet-1k", frames=32, views=(1, 1)),
      *tables.ATM_A6.row(57.2, 68.5, start="ImageNet-1k", frames=32, views=(2, 1)),
      *tables.ATM_A7.row(77.0, start="ImageNet-1k", frames=8, views=(10, 3)),
      *tables.ATM_A7.row(77.6, start="ImageNet-1k", frames=16, views=(10, 3)),
    ),
  ),
  "atm_resnet101": _atm(
    kwargs=_101,
    accuracies=(
      *tables.ATM_A6.row(54.9, 66.4, start="ImageNet-1k", frames=8, views=(1, 1)),
      *tables.ATM_A6.row(55.8, 66.9, start="ImageNet-1k", frames=8, views=(2, 1)),
      *tables.ATM_A6.row(57.2, 68.2, start="ImageNet-1k", frames=16, views=(1, 1)),
      *tables.ATM_A6.row(57.4, 68.6, start="ImageNet-1k", frames=16, views=(2, 1)),
      *tables.ATM_A6.row(57.9, 69.3, start="ImageNet-1k", frames=32, views=(1, 1)),
      *tables.ATM_A7.row(78.0, start="ImageNet-1k", frames=8, views=(10, 3)),
      *tables.ATM_A7.row(78.8, start="ImageNet-1k", frames=16, views=(10, 3)),
    ),
  ),
  "atm_resnet152": _atm(
    kwargs=_152,
    accuracies=(
      *tables.ATM_A7.row(79.4, start="ImageNet-1k", frames=16, views=(10, 3)),
    ),
  ),
  "tsm_resnet50": _resnet(
    kwargs=_50,
    temporal="shift",
    paper="arXiv:1811.08383",
    repository="mit-han-lab/temporal-shift-module",
    weights="https://github.com/mit-han-lab/temporal-shift-module",
    accuracies=(
      *tables.TADA_7.row(74.1, start="ImageNet-1k", frames=8, views=(10, 3)),
      *tables.TADA_9.row(47.2, 63.4, frames=16, views=(2, 3)),
      *tables.BLVNET_5.row(43.4, views=(1, 1)),
    ),
  ),
  "aggregation_resnet50": _resnet(
    kwargs=_50,
    temporal="aggregation",
    paper="arXiv:1912.00869, table 5",
    repository="IBM/bLVNet-TAM",
    accuracies=(*tables.BLVNET_5.row(46.1, views=(1, 1)),),
  ),
  "tada2d_resnet50": _resnet(
    # Without max pooling the first stage strides instead.
    kwargs={**_50, "stem": "7x7", "strides": (2, 2, 2, 2), "average_first": True},
    temporal="adaptive",
    pixels=entry.TADA,
    paper="arXiv:2110.06178",
    repository="alibaba-mmai-research/TAdaConv",
    weights="https://github.com/alibaba-mmai-research/TAdaConv/blob/main/MODEL_ZOO.md",
    reference_cost=ReferenceCost(
      params=27_485_472,
      gmacs=33.023,
      clip_shape=(8, 224, 224),
      paper="27.5 M; 86 at 16 x 256 (table 7)",
    ),
    accuracies=(
      *tables.TADA_7.row(77.4, start="ImageNet-1k", frames=16, views=(10, 3)),
      *tables.TADA_9.row(None, 65.6, frames=16, views=(2, 3)),
    ),
  ),
}
