"""Rules of IBM/bLVNet-TAM, and of the bLResNets that it starts from."""

from collections.abc import Sequence

from convert_weights import changes
from convert_weights.checkpoint_format import CheckpointFormat, Refusal
from convert_weights.formats import slots
from convert_weights.rules import (
  Rule,
  batch_norm,
  changing,
  conv2d,
  linear,
  under,
)
from temporal_jax.layers import TemporalAggregation
from temporal_jax.models.backbones.big_little import BigLittleNet
from temporal_jax.models.network import Network


def aggregation(taps: int = 3) -> list[Rule]:
  """Rules of `TemporalAggregation` of `taps` frames; three have own names."""
  names = [f"blending_layers.{k}.weight" for k in range(taps)]
  if taps == 3:
    names = ["prev.weight", "curr.weight", "next.weight"]
  pattern = "k c 1 1 1 -> k c" if taps > 1 else "c 1 1 1 -> 1 c"
  return [Rule("params/kernel", tuple(names), pattern)]


def bottleneck(taps: int = 3, *, pooled: bool = False) -> list[Rule]:
  """Rules of a bottleneck; a pooled shortcut counts its pool."""
  first = 1 if pooled else 0
  return [
    *_branch(taps),
    *conv2d("shortcut_conv", f"downsample.{first}"),
    *batch_norm("shortcut_norm", f"downsample.{first + 1}"),
  ]


def _branch(taps: int = 3) -> list[Rule]:
  """Rules of a bottleneck whose shortcut changes nothing."""
  return [
    *(r for i in (1, 2, 3) for r in conv2d(f"conv{i}", f"conv{i}")),
    *(r for i in (1, 2, 3) for r in batch_norm(f"norm{i}", f"bn{i}")),
    *under(aggregation(taps), "branch_input", "tam"),
  ]


def big_little_module(taps: int = 3) -> list[Rule]:
  """Rules of a big-little module."""
  return [
    *under(bottleneck(pooled=True), "big1", "big.0"),
    *under(_branch(), "big{i}", "big.{i-1}"),
    *under(bottleneck(), "little{i}", "little.{i-1}"),
    *conv2d("little_conv", "little_e.0"),
    *batch_norm("little_norm", "little_e.1"),
    *under(bottleneck(), "fusion", "fusion.0"),
    *under(aggregation(taps), "branch_input", "tam"),
  ]


def big_little_net(taps: int = 3, *, tensor: str, heads: Sequence[str]) -> list[Rule]:
  """Rules of a `BigLittleNet`.

  Args:
    taps: Frames of the aggregation.
    tensor: Prefix of the backbone's names in the source.
    heads: Possible names of its classifier.
  """
  stem = (
    ("", "conv1", "bn1"),
    ("big_", "b_conv0", "bn_b0"),
    ("little1_", "l_conv0", "bn_l0"),
    ("little2_", "l_conv1", "bn_l1"),
    ("little3_", "l_conv2", "bn_l2"),
    ("fusion_", "bl_init", "bn_bl_init"),
  )
  backbone = [
    *(r for name, conv, _ in stem for r in conv2d(f"stem/{name}conv", conv)),
    *(r for name, _, n in stem for r in batch_norm(f"stem/{name}norm", n)),
    *under(aggregation(taps), "stem/branch_input", "tam"),
    *under(bottleneck(taps, pooled=True), "stage4_block1", "layer4.0"),
    *under(_branch(taps), "stage4_block{i}", "layer4.{i-1}"),
    *under(big_little_module(taps), "stage{s}", "layer{s}"),
  ]
  return [
    *under(backbone, "", tensor),
    *(rule for head in heads for rule in linear("head", head)),
  ]


def image_network() -> list[Rule]:
  """Rules of networks that start from a bLResNet of IBM/BigLittleNet."""
  stem = "params/stem/conv/kernel"
  rules = big_little_net(tensor="", heads=["fc"])
  first = changing([r for r in rules if r.leaf == stem], changes.inflate_stem)
  rest = [r for r in rules if "/branch_input/" not in r.leaf]
  return [*first, *(r for r in rest if r.leaf != stem)]


def video_network(taps: int = 3) -> list[Rule]:
  """Rules of a bLVNet of so many frames; dropout decides its head's name."""
  heads = ["new_fc", "baseline_model.fc"]
  return big_little_net(taps, tensor="baseline_model", heads=heads)


def _video_rules(network: Network) -> list[Rule]:
  operator = slots.filling(network, "branch_input")
  if isinstance(operator, TemporalAggregation):
    if operator.causal:
      raise ValueError(
        "a bLVNet's aggregation sees later frames too: its weights do not "
        "fit a causal one."
      )
    return video_network(operator.taps)
  return video_network()


def _is_big_little(network: Network) -> bool:
  return isinstance(network, BigLittleNet)


def _alternates(network: Network) -> bool:
  return _is_big_little(network) and network.alternate


FORMATS: tuple[CheckpointFormat, ...] = (
  CheckpointFormat(
    name="blresnet",
    origin="IBM/BigLittleNet",
    rules=lambda network: image_network(),
    takes=_is_big_little,
    marks=(r"b_conv0\.weight", r"layer1\.big\.0\.conv1\.weight"),
    new={
      r"params/(stem|stage\d|stage4_block\d+)/branch_input/.+": (
        "a temporal operator, which no image network has"
      )
    },
  ),
  CheckpointFormat(
    name="blvnet",
    origin="IBM/bLVNet-TAM",
    rules=_video_rules,
    takes=_alternates,
    marks=(r"baseline_model\.b_conv0\.weight",),
    refusals=(
      Refusal(
        "its aggregation is of blending_frames other than 3: in Python, give "
        "convert temporal=Temporal(branch_input=functools.partial("
        "layers.TemporalAggregation, taps=blending_frames)).",
        has=r"baseline_model\.tam\.blending_layers\.0\.weight",
      ),
    ),
  ),
)
