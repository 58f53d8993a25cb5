"""Cases of benchmarks.networks: networks and their torch counterparts."""

import fnmatch
import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from torch import nn

from benchmarks.cases.operator_case import FRAMES, VIDEO
from benchmarks.reference import hub, ila, timesformer
from benchmarks.reference.atm import Atm
from benchmarks.reference.resnet3d import ResNet3D50, SlowFast50
from benchmarks.reference.tada_v2 import TAdaConvNeXt, TAdaFormer
from benchmarks.reference.tam import BigLittle50
from benchmarks.reference.tsm import FrameResNet50
from benchmarks.reference.xvit import XVit
from benchmarks.shared.labels import label_tokens
from convert_weights.formats import (
  atm,
  blvnet,
  dinov2,
  dinov3,
  huggingface_clip,
  huggingface_convnext,
  huggingface_resnet,
  huggingface_xclip,
  residual_parts,
  resnet,
  resnet3d,
  siglip,
  tada,
  timesformer as timesformer_names,
  videomae,
  vivit,
  vjepa2,
  xvit,
)
from convert_weights.rules import Rule, linear, under
from temporal_jax.layers import LearnableAlignment
from temporal_jax.models import HEADS, SlowFast, Temporal, create_model, find_model

_CLASSES = MappingProxyType({"num_classes": 400})


class NetworkCase(NamedTuple):
  """A network of the catalog, and its counterpart in torch.

  Attributes:
    name: Name in the catalog, or any name if `model` is given; clips have the
      catalog's size.
    theirs: Makes the network in torch, with random weights: clip -> logits.
    rules: Rules that make our variables of its weights.
    description: Description of the network in torch, for the JSON file.
    pattern: einops pattern from our clips to its clips.
    kwargs: Arguments of `create_model`; without dropout.
    model: Name in the catalog if `name` is another.
    labels: Texts that a network compares clips with; both sides encode them in
      each call.
  """

  name: str
  theirs: Callable[[], nn.Module]
  rules: Sequence[Rule]
  description: str
  pattern: str = FRAMES
  kwargs: Mapping[str, Any] = _CLASSES
  model: str | None = None
  labels: tuple[str, ...] = ()

  @property
  def key(self) -> str:
    """Name in the catalog."""
    return self.model or self.name

  @property
  def inputs(self) -> dict[str, np.ndarray]:
    """Inputs of our network other than clips."""
    return label_tokens(self.labels)


def _of_images(
  name: str,
  theirs: Callable[[], nn.Module],
  rules: Sequence[Rule],
  class_name: str,
  *,
  kwargs: Mapping[str, Any] = _CLASSES,
) -> NetworkCase:
  """Returns the case of an image network of transformers."""
  return NetworkCase(
    name=name,
    theirs=theirs,
    rules=under(rules, "", "network"),
    description=f"transformers {class_name}, frames folded in the batch",
    kwargs=kwargs,
  )


def _of_tada(
  name: str,
  theirs: Callable[[], nn.Module],
  rules: Sequence[Rule],
  *,
  kwargs: Mapping[str, Any] = _CLASSES,
) -> NetworkCase:
  """Returns the case of a network of TAda's repository."""
  return NetworkCase(
    name=name,
    theirs=theirs,
    rules=rules,
    description="transcription of alibaba-mmai-research/TAdaConv",
    pattern=VIDEO,
    kwargs=kwargs,
  )


def _rules_of_tada(name: str) -> list[Rule]:
  """Returns the rules of a network over time and space, without a prefix."""
  network = create_model(name, num_classes=400)
  if isinstance(network, SlowFast):
    return resnet3d.network(network)
  rules = residual_parts.resnet3d(network, resnet3d.naming(""))
  return [*rules, *linear("head", "head.out")]


_FEATURES = MappingProxyType({"num_classes": None})
_NO_DROPOUT = {"head_dropout": 0.0}
_HUB_RESNET = [
  *huggingface_resnet.stem("stem_"),
  *huggingface_resnet.blocks(""),
  *linear("head", "classifier.1"),
]
_AGGREGATION = under(
  blvnet.aggregation(),
  "stage{s}_block{b}/branch_input",
  "layer{s}.{b-1}.tam",
)
_CLIP = functools.partial(
  _of_images,
  rules=huggingface_clip.vision_transformer(),
  class_name="CLIPVisionModelWithProjection (sdpa)",
  kwargs=_FEATURES,
)
_PLAIN_DINOV2 = dinov2.fitting_mlp(dinov2.huggingface_transformer(), gated=False)
_FOUNDATION_TOWERS = (
  ("dinov2_b14", hub.dinov2, _PLAIN_DINOV2, "Dinov2Model"),
  (
    "dinov2_b14_registers",
    functools.partial(hub.dinov2, 4),
    _PLAIN_DINOV2,
    "Dinov2WithRegistersModel",
  ),
  ("dinov3_b16", hub.dinov3, dinov3.huggingface_transformer(), "DINOv3ViTModel"),
  ("siglip2_b16", hub.siglip, siglip.vision_transformer(), "SiglipVisionModel"),
)
_LABELS = (
  *("falling", "waving", "riding a bike", "eating spaghetti"),
  *("playing chess", "washing hands", "ice skating", "juggling balls"),
)
_SLOW_TAPS = (1, 1, 3, 3)  # Frames that the first convolution of a block sees.

NETWORKS = (
  *(
    _of_images(
      name=f"resnet{depth}",
      theirs=functools.partial(hub.resnet, depth),
      rules=_HUB_RESNET,
      class_name="ResNetForImageClassification",
    )
    for depth in (18, 50)
  ),
  NetworkCase(
    name="tsm_resnet50",
    theirs=FrameResNet50,
    rules=resnet.network(),
    description="transcription of mit-han-lab/temporal-shift-module",
  ),
  NetworkCase(
    name="aggregation_resnet50",
    theirs=functools.partial(FrameResNet50, aggregates=True),
    rules=[*resnet.network(), *_AGGREGATION],
    description="transcription of torchvision's with TAM of IBM/bLVNet-TAM",
  ),
  *(
    _CLIP(f"vit_b{patch_size}", functools.partial(hub.clip, patch_size))
    for patch_size in (32, 16)
  ),
  *(
    _of_images(
      name=name,
      theirs=theirs,
      rules=rules,
      class_name=f"{class_name} (sdpa)",
      kwargs=_FEATURES,
    )
    for name, theirs, rules, class_name in _FOUNDATION_TOWERS
  ),
  _of_images(
    name="convnext_tiny",
    theirs=hub.convnext,
    rules=huggingface_convnext.network(),
    class_name="ConvNextForImageClassification",
  ),
  _of_tada(
    name="tada2d_resnet50",
    theirs=functools.partial(ResNet3D50, "adaptive"),
    rules=tada.resnet(),
  ),
  _of_tada(
    name="slowonly_50",
    theirs=functools.partial(ResNet3D50, "frames", pool=True, first_taps=_SLOW_TAPS),
    rules=_rules_of_tada("slowonly_50"),
  ),
  NetworkCase(
    name="xvit_b16",
    theirs=XVit,
    rules=xvit.network(),
    description="transcription of 1adrianb/video-transformers",
    kwargs={
      **_CLASSES,
      "head": functools.partial(HEADS["attention"], dropout=0.0),
      **_NO_DROPOUT,
    },
  ),
  NetworkCase(
    name="atm_vit_b16",
    theirs=Atm,
    rules=atm.classifier(),
    description="transcription of whwu95/ATM",
  ),
  _of_tada(
    name="r2plus1d_50",
    theirs=functools.partial(ResNet3D50, "factorised"),
    rules=_rules_of_tada("r2plus1d_50"),
  ),
  _of_tada(
    name="slowfast_50_4x16",
    theirs=SlowFast50,
    rules=_rules_of_tada("slowfast_50_4x16"),
  ),
  NetworkCase(
    name="blvnet_tam_50",
    theirs=BigLittle50,
    rules=blvnet.video_network(),
    description="transcription of IBM/bLVNet-TAM",
  ),
  _of_tada(
    name="tadaconvnextv2_tiny",
    theirs=TAdaConvNeXt,
    rules=tada.convnext_net(),
  ),
  _of_tada(
    name="tadaformer_b16",
    theirs=TAdaFormer,
    rules=tada.vision_transformer(),
    kwargs={**_CLASSES, **_NO_DROPOUT},
  ),
  NetworkCase(
    name="ila_vit_b32 (video tower)",
    theirs=ila.IlaTower,
    rules=ila.rules(),
    description="written from the equations of ILA's paper, masks undisturbed",
    kwargs={
      "num_classes": None,
      "temporal": Temporal(
        attention_branch=functools.partial(LearnableAlignment, disturbed=False)
      ),
    },
    model="vit_b32",
  ),
  *(
    NetworkCase(
      name=name,
      theirs=functools.partial(hub.timesformer, f"{attention}_space_time"),
      rules=under(timesformer_names.transformers_classifier(), "", "network"),
      description="transformers TimesformerForVideoClassification (eager)",
    )
    for name, attention in (
      ("timesformer_b16", "divided"),
      ("timesformer_b16_joint", "joint"),
    )
  ),
  NetworkCase(
    name="videomae_b16",
    theirs=hub.videomae,
    rules=under(videomae.transformers_classifier(), "", "network"),
    description="transformers VideoMAEForVideoClassification (sdpa)",
    kwargs={**_CLASSES, "epsilon": 1e-12, "last_epsilon": 1e-5},
  ),
  NetworkCase(
    name="vivit_b16x2",
    theirs=hub.vivit,
    rules=under(vivit.transformers_classifier(), "", "network"),
    description="transformers VivitForVideoClassification (sdpa)",
  ),
  NetworkCase(
    name="xclip_b32",
    theirs=lambda: hub.xclip(label_tokens(_LABELS)["text"]),
    rules=under(huggingface_xclip.video_text(), "", "network"),
    description="transformers XCLIPModel (sdpa)",
    kwargs={"num_classes": None},
    labels=_LABELS,
  ),
  *(
    NetworkCase(
      name=f"vit_b32_{pattern}",
      theirs=functools.partial(timesformer.TimeSformer, pattern),
      rules=timesformer.rules(),
      description=(
        "written from the equations of TimeSformer's paper, one class token per frame"
      ),
      kwargs={"num_classes": None},
    )
    for pattern in ("joint", "divided")
  ),
)

# Measured if they are named: a training step takes 10 GB or more.
LARGE = (
  _CLIP(
    "vit_l14",
    functools.partial(hub.clip, 14, width=1024, depth=24, projection=768),
  ),
  *(
    NetworkCase(
      name=name,
      theirs=hub.vjepa2,
      rules=under(vjepa2.transformers_classifier(), "", "network"),
      description="transformers VJEPA2ForVideoClassification (sdpa)",
    )
    for name in ("vjepa2_l16", "vjepa2_l16_16f")
  ),
)


def find_clip_shape(
  name: str, frames: int | None = None, side: int | None = None
) -> tuple[int, int, int]:
  """Returns (T, H, W) of the clips of a network of the catalog.

  Args:
    name: Name in the catalog.
    frames: T, by default the catalog's.
    side: H and W, in pixels, by default the catalog's.
  """
  length, height, width = find_model(name).clip_shape
  return frames or length, side or height, side or width


def find_cases(
  patterns: Sequence[str] | None, among: Iterable[str] | None = None
) -> list[NetworkCase]:
  """Returns the cases that fit shell patterns, in the order of the patterns.

  Args:
    patterns: Patterns of names; without any, all but those of `LARGE` fit.
    among: Names to choose from, by default of all cases.

  Raises:
    ValueError: If a pattern fits none.
  """
  allowed = None if among is None else set(among)
  cases = {
    case.name: case
    for case in (*NETWORKS, *LARGE)
    if allowed is None or case.name in allowed
  }
  if not patterns:
    return [case for case in cases.values() if case not in LARGE]
  found = {}
  for pattern in patterns:
    names = fnmatch.filter(cases, pattern)
    if not names:
      raise ValueError(f"no network fits {pattern!r}; there are {[*cases]}.")
    found |= {name: cases[name] for name in names}
  return [*found.values()]
