"""Rules of pytorch/vision's ResNets, and of networks that start from them."""

from collections.abc import Callable, Sequence

from convert_weights import changes
from convert_weights.checkpoint_format import CheckpointFormat, Rules
from convert_weights.formats import slots
from convert_weights.rules import (
  Rule,
  batch_norm,
  changing,
  conv2d,
  linear,
  under,
)
from temporal_jax.models.backbones.resnet import ResNet
from temporal_jax.models.backbones.resnet3d import ResNet3D
from temporal_jax.models.backbones.slowfast import SlowFast
from temporal_jax.models.network import Network

_Part = Callable[[str], list[Rule]]
# Leaves of networks of residual blocks that no image weights have.
NEW = {
  **slots.NEW,
  r"params/(slow_)?stage\d+_block\d+/conv[12]/((space|time)/)?bias": (
    "the bias of an adaptive convolution; the image network has none"
  ),
  r"params/stage\d+_block\d+/conv2/time/kernel": (
    "a convolution along time, which starts at random"
  ),
  r"(params|batch_stats)/stage\d+_block\d+/conv2/time_norm/.+": (
    "a convolution along time, whose norm starts anew"
  ),
  r"(params|batch_stats)/fast_(stem|stage\d+_block\d+)/.+": (
    "the fast pathway, narrower than any image network"
  ),
  r"(params|batch_stats)/lateral\d+_(conv|norm)/.+": (
    "a connection from the fast pathway, which no image network has"
  ),
}


def block() -> list[Rule]:
  """Rules of a `BasicBlock` or a `BottleneckBlock`.

  Both norms of a factorised convolution come from the image's convolution: only
  the part along time starts anew (arXiv:2308.05787, appendix D).
  """
  return [
    *conv2d("conv{i}", "conv{i}"),
    *batch_norm("norm{i}", "bn{i}"),
    *conv2d("conv{i}/space", "conv{i}"),
    *batch_norm("conv{i}/norm", "bn{i}"),
    *conv2d("shortcut_conv", "downsample.0"),
    *batch_norm("shortcut_norm", "downsample.1"),
  ]


def network() -> list[Rule]:
  """Rules of a `ResNet`."""
  return [*stem("stem_"), *blocks(""), *head()]


def stem(prefix: str) -> list[Rule]:
  """Rules of the stem, whose leaves begin with `prefix`."""
  return [
    *conv2d(f"{prefix}conv", "conv1"),
    *batch_norm(f"{prefix}norm", "bn1"),
  ]


def blocks(prefix: str) -> list[Rule]:
  """Rules of the blocks, whose leaves begin with `prefix`."""
  return under(block(), f"{prefix}stage{{s}}_block{{b}}", "layer{s}.{b-1}")


def head() -> list[Rule]:
  """Rules of the classifier."""
  return linear("head", "fc")


def takes(network: Network) -> bool:
  """Returns whether a network can start from a ResNet over images.

  Factorised convolutions have widths between their parts that no image network
  has, except in bottlenecks.
  """
  if isinstance(network, ResNet):
    return network.stem != "3x3"
  if not isinstance(network, ResNet3D | SlowFast):
    return False
  doubled = tuple(network.stem_width * 2**i for i in range(len(network.widths)))
  if tuple(network.widths) != doubled:
    return False
  if isinstance(network, SlowFast) or not network.factorised:
    return True
  return network.block == "bottleneck" and network.taps[0] == 1


def inflated(stem: _Part, blocks: _Part, head: Sequence[Rule]) -> Rules:
  """Returns the rules of networks that start from a ResNet over images.

  Kernels get the taps that the networks have over time. The slow pathway of a
  `SlowFast` sees zeros of the fast one at first, and so does the classifier.

  Args:
    stem: As `stem` above, of the source's naming.
    blocks: As `blocks` above.
    head: As `head()` above.
  """

  def rules(network: Network) -> list[Rule]:
    if isinstance(network, SlowFast):
      return [
        *changing(stem("slow_stem/"), changes.inflate_stem),
        *changing([*blocks("slow_"), *head], changes.inflate_wider),
      ]
    prefix = "stem_" if isinstance(network, ResNet) else "stem/"
    return [
      *changing(stem(prefix), changes.inflate_stem),
      *changing(blocks(""), changes.inflate),
      *head,
    ]

  return rules


FORMATS: tuple[CheckpointFormat, ...] = (
  CheckpointFormat(
    name="torchvision",
    origin="pytorch/vision",
    rules=inflated(stem, blocks, head()),
    takes=takes,
    marks=(
      r"layer1\.0\.conv1\.weight",
      r"layer1\.0\.bn1\.weight",
      r"bn1\.weight",
    ),
    new=NEW,
  ),
)
