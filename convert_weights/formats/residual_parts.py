"""Rules of residual networks over time and space, for any naming of parts.

The number of frames that a convolution spans decides the axes of its kernel.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from convert_weights.rules import (
  Rule,
  batch_norm,
  conv3d_spatial,
  conv3d_temporal,
  under,
)
from temporal_jax.models.backbones.resnet3d import ResNet3D
from temporal_jax.models.backbones.slowfast import SlowFast


class Names(NamedTuple):
  """Names of a convolution's tensors.

  Attributes:
    conv: The convolution.
    norm: The norm after it.
    space: The convolution over space, where it is factorised.
    between: The norm between the two.
    time: The convolution along time.
    last: The norm after the two, where it has another name than `norm`.
  """

  conv: str
  norm: str
  space: str = ""
  between: str = ""
  time: str = ""
  last: str = ""

  def of(self, part: str) -> "Names":
    """Returns the names with `part` for every "*"."""
    return Names(*(name.replace("*", part) for name in self))


class Naming(NamedTuple):
  """Names of a residual network's tensors.

  Attributes:
    stem: Names of the stem's convolution.
    part: Names of a convolution in its block; "*" is one of `parts`.
    shortcut: Names of the shortcut's convolution in its block.
    block: Number of a stage, from 1 -> name of its block {b}, from 1.
    parts: Names of the convolutions in a block, in their order.
  """

  stem: Names
  part: Names
  shortcut: Names
  block: Callable[[int], str]
  parts: Sequence[str] = ("1", "2", "3")


class Pathway(NamedTuple):
  """Settings of a pathway that decide the axes of kernels, see `ResNet3D`."""

  kind: str
  taps: Sequence[int]
  first_taps: Sequence[int]
  factorised: bool = False
  time_first: bool = False
  factorised_shortcut: bool = False


def resnet3d(network: ResNet3D, naming: Naming) -> list[Rule]:
  """Rules of stem and blocks of a `ResNet3D`."""
  pathway = Pathway(
    kind=network.block,
    taps=network.taps,
    first_taps=network.first_taps,
    factorised=network.factorised,
    time_first=network.time_first,
    factorised_shortcut=network.factorised_shortcut,
  )
  return _pathway(pathway, naming)


def slowfast(
  network: SlowFast,
  slow: Naming,
  fast: Naming,
  lateral: Callable[[int], Names],
) -> list[Rule]:
  """Rules of a `SlowFast` without its classifier.

  Args:
    network: The network.
    slow: Names of the slow pathway.
    fast: Names of the fast pathway.
    lateral: Number of a stage, from 1 -> names of the convolution from fast to
      slow in front of it.
  """
  rules = []
  for place, (ours, naming) in enumerate((("slow_", slow), ("fast_", fast))):
    taps = (network.stem_taps[place], *(1 for _ in network.stage_sizes))
    pathway = Pathway(network.block, taps, network.first_taps[place])
    rules += _pathway(pathway, naming, ours)
  for stage in range(1, len(network.stage_sizes) + 1):
    names = lateral(stage)
    rules += pointwise(f"lateral{stage}_conv", names.conv, network.lateral_taps)
    rules += batch_norm(f"lateral{stage}_norm", names.norm)
  return rules


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


def _pathway(pathway: Pathway, naming: Naming, ours: str = "") -> list[Rule]:
  """Rules of a stem and its stages; our names begin with `ours`."""
  taps = pathway.taps[0]
  if pathway.factorised and taps > 1:
    stem = _factorised("conv", "norm", naming.stem, taps, pathway.time_first)
  else:
    stem = [*conv3d("conv", naming.stem.conv, taps), *_norm("norm", naming.stem)]
  rules = under(stem, f"{ours}stem", "")
  for stage, (taps, first_taps) in enumerate(
    zip(pathway.taps[1:], pathway.first_taps, strict=False), 1
  ):
    block = _block(pathway, naming, taps, first_taps)
    rules += under(block, f"{ours}stage{stage}_block{{b}}", naming.block(stage))
  return rules


def _block(pathway: Pathway, naming: Naming, taps: int, first_taps: int) -> list[Rule]:
  """Rules of a `BasicBlock` or a `BottleneckBlock`."""
  rules = []
  is_basic = pathway.kind == "basic"
  for place, part in enumerate(naming.parts[: 2 if is_basic else 3]):
    conv, norm = f"conv{place + 1}", f"norm{place + 1}"
    names = naming.part.of(part)
    if not is_basic and place != 1:
      frames = first_taps if place == 0 else 1
      rules += [*pointwise(conv, names.conv, frames), *_norm(norm, names)]
    elif pathway.factorised:
      rules += _factorised(conv, norm, names, taps, pathway.time_first)
    else:
      rules += [*conv3d(conv, names.conv, taps), *_norm(norm, names)]
  shortcut = naming.shortcut
  if pathway.factorised_shortcut:
    return [*rules, *_factorised("shortcut_conv", "shortcut_norm", shortcut, 1)]
  conv = pointwise("shortcut_conv", shortcut.conv)
  return [*rules, *conv, *_norm("shortcut_norm", shortcut)]


def _norm(leaf: str, names: Names) -> list[Rule]:
  return batch_norm(leaf, names.norm)


def _factorised(
  leaf: str, norm: str, names: Names, taps: int, time_first: bool = False
) -> list[Rule]:
  """Rules of a `FactorisedConv` and the norm after it."""
  between = "time_norm" if time_first else "norm"
  return [
    *conv3d_spatial(f"{leaf}/space", names.space),
    *batch_norm(f"{leaf}/{between}", names.between),
    *pointwise(f"{leaf}/time", names.time, taps),
    *batch_norm(norm, names.last or names.norm),
  ]
