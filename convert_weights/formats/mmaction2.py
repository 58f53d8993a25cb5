"""Rules of open-mmlab/mmaction2: TSN, TSM, SlowOnly, SlowFast, R(2+1)D."""

import functools
import re
from collections.abc import Mapping, Sequence
from typing import Any

import jax.numpy as jnp

from convert_weights import changes
from convert_weights.checkpoint_format import CheckpointFormat, Refusal, Shown
from convert_weights.formats import shifted_resnet, tsm
from convert_weights.formats.residual_parts import Names, Naming, resnet3d, slowfast
from convert_weights.rules import Rule, batch_norm, changing, conv2d, linear
from temporal_jax.layers import BatchNorm
from temporal_jax.models.backbones.resnet import ResNet
from temporal_jax.models.backbones.resnet3d import ResNet3D
from temporal_jax.models.backbones.slowfast import SlowFast
from temporal_jax.models.catalog.entry import IMAGENET
from temporal_jax.models.network import Network

_STRIDES = (2, 1, 2, 2, 2)  # Strides of stem and stages.
_HEAD = linear("head", "cls_head.fc_cls")
# The norms of its R(2+1)D add 1e-3 to the variance, except those within
# factorised convolutions.
_MORE = 1e-3 - BatchNorm.epsilon
_WITHIN = re.compile(r".*conv\d?/norm/var")


def rules(network: ResNet | ResNet3D | SlowFast) -> list[Rule]:
  """Rules of a network that `takes` takes."""
  if isinstance(network, SlowFast):
    slow, fast = _naming("slow_path."), _naming("fast_path.")
    return [*slowfast(network, slow, fast, _lateral), *_fast_first(network)]
  if isinstance(network, ResNet3D):
    backbone = resnet3d(network, _naming(""))
    return [*(_with_epsilon(backbone) if network.factorised else backbone), *_HEAD]
  blocks = shifted_resnet.blocks(network, _block, theirs="backbone.", wrapper=".net")
  stem = [
    *conv2d("stem_conv", "backbone.conv1.conv"),
    *batch_norm("stem_norm", "backbone.conv1.bn"),
  ]
  return [*stem, *blocks, *_HEAD]


def takes(network: Network) -> bool:
  """Returns whether the library has published such networks."""
  if isinstance(network, ResNet):
    return shifted_resnet.takes(network)
  if not isinstance(network, ResNet3D | SlowFast) or network.temporal.filled():
    return False
  if isinstance(network, SlowFast):
    return network.block == "bottleneck"
  strides = (network.stem_pool, *network.strides, *network.time_strides)
  if network.factorised:
    is_own = network.factorised_shortcut and network.block == "basic"
    other = network.time_first or network.shared_width or network.stem_inner_width
    return is_own and not other and strides == (True, *_STRIDES, 1, 1, 2, 2, 2)
  is_slow = max(network.taps) == 1 and network.block == "bottleneck"
  return is_slow and strides == (True, *_STRIDES, 1, 1, 1, 1, 1)


def shown(network: Network, tensors: Mapping[str, Any]) -> Mapping[str, Shown]:
  """Returns the arguments in which a `SlowFast` of the library differs."""
  found: dict[str, Shown] = {}
  if not isinstance(network, SlowFast):
    return found
  if network.slow_sampling != "stride":
    why = "the code takes every alpha-th frame for the slow pathway"
    found["slow_sampling"] = Shown("stride", why)
  has_norms = "backbone.slow_path.conv1_lateral.bn.weight" in tensors
  if network.lateral_norm != has_norms:
    why = f"the lateral convolutions have {'norms' if has_norms else 'no norms'}"
    found["lateral_norm"] = Shown(has_norms, why)
  return found


def _naming(pathway: str) -> Naming:
  convolution = Names(
    "*.conv",
    "*.bn",
    space="*.conv.conv_s",
    between="*.conv.bn_s",
    time="*.conv.conv_t",
  )
  return Naming(
    stem=convolution.of(f"backbone.{pathway}conv1"),
    part=convolution.of("conv*"),
    shortcut=convolution.of("downsample"),
    block=lambda stage: f"backbone.{pathway}layer{stage}.{{b-1}}",
  )


def _lateral(stage: int) -> Names:
  before = "conv1" if stage == 1 else f"layer{stage - 1}"
  name = f"backbone.slow_path.{before}_lateral"
  return Names(f"{name}.conv", f"{name}.bn")


def _block(wrapper: str) -> list[Rule]:
  """Rules of a ResNet's block; its first convolution may be within a shift."""
  return [
    *conv2d("conv1", f"conv1.conv{wrapper}"),
    *conv2d("conv2", "conv2.conv"),
    *conv2d("conv3", "conv3.conv"),
    *batch_norm("norm{i}", "conv{i}.bn"),
    *conv2d("shortcut_conv", "downsample.conv"),
    *batch_norm("shortcut_norm", "downsample.bn"),
  ]


def _fast_first(network: SlowFast) -> list[Rule]:
  """Rules of a SlowFast's classifier, which sees the fast pathway first."""
  fast = 4 * network.widths[len(network.stage_sizes) - 1] // network.beta
  kernel, bias = _HEAD
  change = functools.partial(changes.move_channels, places=-fast)
  undo = functools.partial(jnp.roll, shift=fast, axis=0)
  return [*changing([kernel], change, undo), bias]


def _with_epsilon(rules: Sequence[Rule]) -> list[Rule]:
  """Adds to variances what the norms add to them there, and ours do not."""
  change = functools.partial(changes.add, amount=_MORE)
  undo = functools.partial(jnp.add, -_MORE)
  found = []
  for rule in rules:
    if rule.leaf.endswith("/var") and not _WITHIN.fullmatch(rule.leaf):
      (rule,) = changing([rule], change, undo)
    found.append(rule)
  return found


FORMATS: tuple[CheckpointFormat, ...] = (
  CheckpointFormat(
    name="mmaction2",
    origin="open-mmlab/mmaction2",
    rules=rules,
    takes=takes,
    marks=(
      r"backbone\.(slow_path\.)?conv1\.conv\.(conv_s\.)?weight",
      r"backbone\.(slow_path\.)?layer1\.0\.conv1\.conv\.(net\.|conv_s\.)?weight",
    ),
    shown=shown,
    code_pixels=IMAGENET,
    refusals=(
      Refusal(tsm.NON_LOCAL, has=r"backbone\..+\.(non_local_block|block)\..+"),
    ),
  ),
)
