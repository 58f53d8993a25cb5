"""Networks that benchmarks.networks measures, and their torch counterparts."""

import functools
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from torch import nn

from benchmarks.cases.row import FRAMES, VIDEO
from benchmarks.reference import hub as hub_networks
from benchmarks.reference import resnet3d as torch_networks_3d
from benchmarks.reference import timesformer as torch_timesformer
from benchmarks.reference.atm import Atm
from benchmarks.reference.ila import IlaTower
from benchmarks.reference.tada_v2 import TAdaConvNeXt, TAdaFormer
from benchmarks.reference.tam import BigLittle50
from benchmarks.reference.tsm import FrameResNet50
from benchmarks.reference.xvit import XVit
from convert_weights.formats import atm, blvnet, clip, ila, resnet, resnet3d, tada, xvit
from convert_weights.rules import Rule, under
from temporal_jax.layers import LearnableAlignment
from temporal_jax.models import HEADS, Temporal

_CLASSES = MappingProxyType({"num_classes": 400})


class Network(NamedTuple):
  """A network of the catalog, and what it is timed against.

  Attributes:
    name: In the catalog, or with `model` any; clips are of the size that the
      catalog names.
    theirs: Makes the network in torch, with random weights: clip -> logits.
    rules: Of our variables from its weights.
    form: What the network in torch is.
    pattern: einops pattern from our clips to those it takes.
    kwargs: What `create_model` is given; nothing is dropped in training.
    model: Name in the catalog if `name` is not.
  """

  name: str
  theirs: Callable[[], nn.Module]
  rules: Sequence[Rule]
  form: str
  pattern: str = FRAMES
  kwargs: Mapping[str, Any] = _CLASSES
  model: str | None = None

  @property
  def key(self) -> str:
    """Its name in the catalog."""
    return self.model or self.name


_FOLDED = "frames folded in the batch"
_OWN = "transcription of {}"
_TADA = _OWN.format("alibaba-mmai-research/TAdaConv")
_ALIGNMENT = Temporal(
  attention_branch=functools.partial(LearnableAlignment, disturbed=False)
)
_NO_DROPOUT = {"head_dropout": 0.0}
_SLOW = {"first_taps": (1, 1, 3, 3)}


def _of_images(
  name: str, theirs: Callable, rules: Sequence[Rule], what: str, **kwargs: Any
) -> Network:
  return Network(
    name,
    theirs,
    rules,
    f"transformers {what}, {_FOLDED}",
    kwargs=kwargs or _CLASSES,
  )


def _video(
  name: str, theirs: Callable, rules: Sequence[Rule], **kwargs: Any
) -> Network:
  return Network(name, theirs, rules, _TADA, VIDEO, {**_CLASSES, **kwargs})


_AGGREGATION = under(
  blvnet.aggregation(),
  "stage{s}_block{b}/branch_input",
  "layer{s}.{b-1}.tam",
)
_RESNET = "ResNetForImageClassification"
_CLIP = "CLIPVisionModelWithProjection (sdpa)"

NETWORKS = (
  *(
    _of_images(
      f"resnet{depth}",
      functools.partial(hub_networks.resnet, depth),
      hub_networks.resnet_rules(),
      _RESNET,
    )
    for depth in (18, 50)
  ),
  Network(
    "tsm_resnet50",
    FrameResNet50,
    resnet.network(),
    _OWN.format("mit-han-lab/temporal-shift-module"),
  ),
  Network(
    "aggregation_resnet50",
    functools.partial(FrameResNet50, aggregates=True),
    [*resnet.network(), *_AGGREGATION],
    _OWN.format("torchvision's with TAM of IBM/bLVNet-TAM"),
  ),
  *(
    _of_images(
      f"vit_b{patch_size}",
      functools.partial(hub_networks.clip, patch_size),
      hub_networks.clip_rules(),
      _CLIP,
      num_classes=None,
    )
    for patch_size in (32, 16)
  ),
  _of_images(
    "convnext_tiny",
    hub_networks.convnext,
    hub_networks.convnext_rules(),
    "ConvNextForImageClassification",
  ),
  _video(
    "tada2d_resnet50",
    functools.partial(torch_networks_3d.ResNet3D50, "adaptive"),
    tada.resnet(),
  ),
  _video(
    "slowonly_50",
    functools.partial(torch_networks_3d.ResNet3D50, "frames", pool=True, **_SLOW),
    resnet3d.resnet3d("bottleneck", **_SLOW),
  ),
  Network(
    "xvit_b16",
    XVit,
    xvit.network(),
    _OWN.format("1adrianb/video-transformers"),
    kwargs={
      **_CLASSES,
      "head": functools.partial(HEADS["attention"], dropout=0.0),
      **_NO_DROPOUT,
    },
  ),
  Network(
    "atm_vit_b16",
    Atm,
    atm.classifier(),
    _OWN.format("whwu95/ATM"),
  ),
  _video(
    "r2plus1d_50",
    functools.partial(torch_networks_3d.ResNet3D50, "factorised"),
    resnet3d.resnet3d("bottleneck", taps=(3,) * 5, parted=True),
  ),
  _video(
    "slowfast_50_4x16",
    torch_networks_3d.SlowFast50,
    resnet3d.slowfast(
      "bottleneck",
      stem_taps=(1, 5),
      first_taps=((1, 1, 3, 3), (3, 3, 3, 3)),
      lateral_taps=5,
    ),
  ),
  Network(
    "blvnet_tam_50",
    BigLittle50,
    blvnet.video_network(),
    _OWN.format("IBM/bLVNet-TAM"),
  ),
  _video("tadaconvnextv2_tiny", TAdaConvNeXt, tada.convnext_net()),
  _video("tadaformer_b16", TAdaFormer, tada.vision_transformer(), **_NO_DROPOUT),
  Network(
    "ila_vit_b32 (video tower)",
    IlaTower,
    clip.vision_transformer(ila.block("separable")),
    _OWN.format("Francis-Rings/ILA, masks undisturbed"),
    kwargs={"num_classes": None, "temporal": _ALIGNMENT},
    model="vit_b32",
  ),
  *(
    Network(
      f"vit_b32_{pattern}",
      functools.partial(torch_timesformer.TimeSformer, pattern),
      torch_timesformer.rules(),
      _OWN.format("facebookresearch/TimeSformer, a class token a frame"),
      kwargs={"num_classes": None},
    )
    for pattern in ("joint", "divided")
  ),
)
