"""Rules of the convolutional networks of alibaba-mmai-research/TAdaConv.

They have the number of frames that a convolution spans, which decides the axes
of its kernel.
"""

from collections.abc import Sequence
from typing import Any

from convert_weights.rules import (
  Rule,
  batch_norm,
  conv3d_spatial,
  conv3d_temporal,
  linear,
  under,
)
from temporal_jax.models.backbones.resnet3d import ResNet3D
from temporal_jax.models.backbones.slowfast import SlowFast


def conv3d(leaf: str, tensor: str, taps: int) -> list[Rule]:
  """Rules of a `Conv3D` of several pixels, over so many frames."""
  if taps == 1:
    return conv3d_spatial(leaf, tensor)
  pattern = "o i t h w -> t h w i o"
  return [Rule(f"params/{leaf}/kernel", (f"{tensor}.weight",), pattern)]


def pointwise(leaf: str, tensor: str, taps: int = 1) -> list[Rule]:
  """Rules of a `Conv3D` of one pixel, over so many frames."""
  make = conv3d_spatial if taps == 1 else conv3d_temporal
  return make(leaf, tensor)


def norm_after(leaf: str, norm: str, tensor: str, taps: int) -> list[Rule]:
  """Rules of a `Conv3D` of several pixels and the norm after it."""
  return [*conv3d(leaf, tensor, taps), *batch_norm(norm, f"{tensor}_bn")]


def factorised(leaf: str, norm: str, tensor: str, taps: int) -> list[Rule]:
  """Rules of a `FactorisedConv` and the norm after it."""
  return [
    *conv3d_spatial(f"{leaf}/space", f"{tensor}1"),
    *batch_norm(f"{leaf}/norm", f"{tensor}1_bn"),
    *pointwise(f"{leaf}/time", f"{tensor}2", taps),
    *batch_norm(norm, f"{tensor}2_bn"),
  ]


def block(
  kind: str, *, taps: int = 1, first_taps: int = 1, parted: bool = False
) -> list[Rule]:
  """Rules of a `BasicBlock` or a `BottleneckBlock` from a `Base3DBlock`."""
  whole = factorised if parted else norm_after
  if kind == "basic":
    branch = [
      *whole("conv1", "norm1", "a", taps),
      *whole("conv2", "norm2", "b", taps),
    ]
  else:
    branch = [
      *pointwise("conv1", "a", first_taps),
      *batch_norm("norm1", "a_bn"),
      *whole("conv2", "norm2", "b", taps),
      *pointwise("conv3", "c"),
      *batch_norm("norm3", "c_bn"),
    ]
  return [
    *under(branch, "", "conv_branch"),
    *pointwise("shortcut_conv", "short_cut"),
    *batch_norm("shortcut_norm", "short_cut_bn"),
  ]


def pathway(
  kind: str,
  *,
  ours: str = "",
  theirs: str = "",
  taps: Sequence[int] = (1, 1, 1, 1, 1),
  first_taps: Sequence[int] = (1, 1, 1, 1),
  parted: bool = False,
) -> list[Rule]:
  """Rules of a stem and its stages; names begin with `ours` and `theirs`."""
  first = factorised if parted and taps[0] > 1 else norm_after
  stem = first("conv", "norm", "a", taps[0])
  rules = under(stem, f"{ours}stem", f"{theirs}conv1")
  for stage, (frames, first) in enumerate(zip(taps[1:], first_taps, strict=True)):
    rules += under(
      block(kind, taps=frames, first_taps=first, parted=parted),
      f"{ours}stage{stage + 1}_block{{i}}",
      f"{theirs}conv{stage + 2}.res_{{i}}",
    )
  return rules


def resnet3d(
  kind: str, *, pathways: Sequence[str] = ("",), **settings: Any
) -> list[Rule]:
  """Rules of a `ResNet3D`.

  Args:
    kind: Kind of its blocks.
    pathways: Prefixes that its names may have, such as those of one pathway of
      a SlowFast.
    **settings: See `pathway`.
  """
  rules = []
  for name in pathways:
    rules += under(pathway(kind, theirs=name, **settings), "", "backbone")
  return [*rules, *linear("head", "head.out")]


def slowfast(
  kind: str,
  *,
  stem_taps: Sequence[int],
  first_taps: Sequence[Sequence[int]],
  lateral_taps: int,
) -> list[Rule]:
  """Rules of a `SlowFast`."""
  lateral, theirs = "lateral{i}", "backbone.slowfast_fusion{i}"
  rules = [
    *pointwise(f"{lateral}_conv", f"{theirs}.conv_fast_to_slow", lateral_taps),
    *batch_norm(f"{lateral}_norm", f"{theirs}.bn"),
    *linear("head", "head.out"),
  ]
  for place, name in enumerate(("slow_", "fast_")):
    taps = (stem_taps[place], 1, 1, 1, 1)
    rules += pathway(
      kind,
      ours=name,
      theirs=f"backbone.{name}",
      taps=taps,
      first_taps=first_taps[place],
    )
  return rules


def network(network: ResNet3D | SlowFast) -> list[Rule]:
  """Rules of a network, which must hold no temporal operator."""
  if isinstance(network, SlowFast):
    return slowfast(
      network.block,
      stem_taps=network.stem_taps,
      first_taps=network.first_taps,
      lateral_taps=network.lateral_taps,
    )
  pathways = ["", "slow_", "fast_"]
  if max(network.taps[1:]) == 1:  # Such are a SlowFast's.
    pathways = pathways[1:] if network.taps[0] == 1 else pathways[:0:-1]
  return resnet3d(
    network.block,
    pathways=pathways,
    taps=network.taps,
    first_taps=network.first_taps,
    parted=network.factorised,
  )
