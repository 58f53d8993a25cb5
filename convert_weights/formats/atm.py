"""Rules of whwu95/ATM."""

from collections.abc import Sequence

from convert_weights.checkpoint_format import SKIP, CheckpointFormat, Refusal
from convert_weights.formats import clip, eva
from convert_weights.rules import (
  Rule,
  batch_norm,
  conv2d,
  conv3d_spatial,
  linear,
  under,
)
from temporal_jax.models.backbones.vision_transformer import VisionTransformer
from temporal_jax.models.network import Network

# Operation -> its block in an `ATMBlock`, and that block's `DomainTransfer`.
_NAMES = {
  "correlation": ("corrlayer", "sim2vis"),
  "difference": ("difflayer", "diff2vis"),
  "sum": ("intelayer", "inte2vis"),
  "log_ratio": ("divlayer", "div2vis"),
}


def classifier() -> list[Rule]:
  """Rules of `VisionTransformer` from a `VideoCLIP` on CLIP's image tower."""
  block = [*clip.transformer_block(), *slots()]
  tower = clip.vision_transformer(block)
  return [*under(tower, "", "visual"), *linear("head", "fc")]


def eva_tower() -> list[Rule]:
  """Rules of `VisionTransformer` from EVA-02-CLIP's with ATM."""
  return eva.vision_transformer([*eva.transformer_block(), *slots()])


def eva_classifier() -> list[Rule]:
  """Rules of `VisionTransformer` from a `VideoCLIP` on EVA-02-CLIP's tower.

  The tower comes by itself as well, without the name that it has in there.
  """
  tower = eva_tower()
  return [*under(tower, "", "visual"), *tower, *linear("head", "fc")]


def slots() -> list[Rule]:
  """Rules of ATM's layers in a block's slots, in CLIP as in EVA-02-CLIP.

  Where the modeling and the convolution meet in one slot, they are parts of a
  `Chain`.
  """
  return [
    *under(modeling(), "block_input", "control_point_c"),
    *under(modeling(), "block_input/part1", "control_point_c"),
    *under(token_convolution(), "block_input", "control_point1"),
    *under(token_convolution(), "block_input/part2", "control_point1"),
    *under(token_convolution(), "mlp_input", "control_point2"),
  ]


def token_convolution() -> list[Rule]:
  """Rules of `ClassTokenConvolution` from a `TokenT1D`."""
  return [Rule("params/kernel", ("conv.weight",), "c 1 k -> k c")]


def modeling(
  operations: Sequence[str] = tuple(_NAMES),
  *,
  downsample: bool = False,
) -> list[Rule]:
  """Rules of `ArithmeticModeling` from an `ATMBlock`."""
  rules = []
  for name in operations:
    rules += under(cue(name, downsample=downsample), name, _NAMES[name][0])
  return rules


def cue(operation: str, *, downsample: bool = False) -> list[Rule]:
  """Rules of `ArithmeticCue` from the block of its operation."""
  transfer = under(_transformation(downsample), "transformation", _NAMES[operation][1])
  if operation != "correlation":
    return [*under(reduction(), "reduce", ""), *transfer]
  return [
    *under(reduction(), "reduce", "sim"),
    *under(window_encoder(), "encoder", "uv2c"),
    *transfer,
  ]


def reduction() -> list[Rule]:
  """Rules of the `ConvNormRelu` that a block starts with."""
  return [*conv2d("conv", "downsample.0"), *batch_norm("norm", "downsample.1")]


def window_encoder() -> list[Rule]:
  """Rules of `WindowEncoder` from a `Conv2D_UV2C`."""
  return [
    *conv3d_spatial("layer{k}/conv", "conv{k-1}.0"),
    *batch_norm("layer{k}/norm", "conv{k-1}.1"),
  ]


def _transformation(downsample: bool) -> list[Rule]:
  """Rules of `DomainTransformation`; strided, its end is a transposed one."""
  fuse = ("conv3_fuse.1.weight",)
  expand = "i o 1 1 1 -> i o" if downsample else "o i 1 1 1 -> i o"
  return [
    *conv3d_spatial("layer{k}/conv", "conv{k}.0"),
    *batch_norm("layer{k}/norm", "conv{k}.1"),
    Rule("params/fuse/kernel", fuse, "o (l i) 1 h w -> l h w i o"),
    *batch_norm("fuse_norm", "conv3_fuse.2"),
    Rule("params/expand/kernel", ("upsample.0.weight",), expand),
  ]


def _is_eva(network: VisionTransformer) -> bool:
  """Returns whether a tower ends as EVA-02-CLIP's, with a biased projection."""
  return network.projection_bias


def _rules(network: Network) -> list[Rule]:
  return eva_classifier() if _is_eva(network) else classifier()


def _takes(network: Network) -> bool:
  """Returns whether a network is a tower of CLIP's, with ATM or without."""
  if not isinstance(network, VisionTransformer) or network.projection is None:
    return False
  is_tower = network.pre_norm or _is_eva(network)
  return is_tower and network.temporal.filled() <= {"block_input", "mlp_input"}


_REFUSALS = (
  Refusal(
    "blocks are inside of TemporalShift_VIT (tsm='tsm', names with .net.); "
    "known are tsm='tokent1d' and none.",
    has=r"visual\.transformer\.resblocks\.0\.net\..+",
  ),
  Refusal(
    "the tower has joint=True, with visual.time_embedding; no network here attends so.",
    has=r"visual\.time_embedding",
  ),
  Refusal(
    "the tower is EVA02-CLIP-bigE-14, whose blocks have other norms and MLPs; "
    "known are EVA02-CLIP-B-16, L-14 and L-14-336.",
    has=r"(visual\.)?blocks\.0\.mlp\.fc1\.weight",
  ),
  Refusal(
    "ATM sums frames or takes their log ratio (IntegrationBlock, DivBlock): in "
    "Python, give convert a temporal= whose layers.ArithmeticModeling has "
    'operations=("correlation", "difference", "sum", "log_ratio").',
    has=r".+\.control_point_c\.(intelayer|divlayer)\..+",
  ),
  Refusal(
    "class tokens are not convolved (tsm is not 'tokent1d', no tensors "
    "control_point1 and control_point2): --set temporal=arithmetic_patch_tokens.",
    has=r".+\.control_point_c\..+",
    lacks=r".+\.control_point1\.conv\.weight",
  ),
  Refusal(
    "the tower has no ATM (no tensors control_point_c): --set temporal=none.",
    lacks=r".+\.control_point_c\..+",
  ),
)

FORMATS: tuple[CheckpointFormat, ...] = (
  CheckpointFormat(
    name="atm",
    origin="whwu95/ATM",
    rules=_rules,
    takes=_takes,
    marks=(
      r"(visual\.)?(transformer\.res)?blocks\.0\..+",
      r"fc\.weight|(visual\.)?blocks\.\d+\.control_point\w+\..+",
    ),
    fixed=("activation",),
    refusals=_REFUSALS,
    skip={
      **SKIP,
      **dict.fromkeys(
        eva.UNUSED, "tables of the rotary positions, which ours computes"
      ),
    },
  ),
)
