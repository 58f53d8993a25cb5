"""Rules of the residual networks of facebookresearch/pytorchvideo."""

from convert_weights.checkpoint_format import CheckpointFormat
from convert_weights.formats import pyslowfast
from convert_weights.formats.residual_parts import Names, Naming, resnet3d, slowfast
from convert_weights.rules import Rule, linear
from temporal_jax.models.backbones.resnet3d import ResNet3D
from temporal_jax.models.backbones.slowfast import SlowFast
from temporal_jax.models.network import Network


def rules(network: ResNet3D | SlowFast) -> list[Rule]:
  """Rules of a network that `takes` takes."""
  if isinstance(network, SlowFast):
    slow, fast = _naming("multipathway_blocks.0."), _naming("multipathway_blocks.1.")
    pathways = slowfast(network, slow, fast, _lateral)
    return [*pathways, *linear("head", "blocks.6.proj")]
  return [*resnet3d(network, _naming("")), *linear("head", "blocks.5.proj")]


def takes(network: Network) -> bool:
  """Returns whether the library has such networks: Slow, SlowFast and R(2+1)D.

  Its R(2+1)D convolves along time first, and keeps every second frame in the
  last two stages.
  """
  if not isinstance(network, ResNet3D) or not network.factorised:
    return pyslowfast.takes(network)
  strides = (network.stem_pool, *network.strides, *network.time_strides)
  return (
    network.block == "bottleneck"
    and network.time_first
    and strides == (False, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2)
    and not network.temporal.filled()
  )


def _naming(pathway: str) -> Naming:
  stem = f"blocks.0.{pathway}"
  return Naming(
    stem=Names(f"{stem}conv", f"{stem}norm"),
    part=Names(
      "branch2.conv_*",
      "branch2.norm_*",
      space="branch2.conv_*.conv_xy",
      between="branch2.conv_*.norm",
      time="branch2.conv_*.conv_t",
    ),
    shortcut=Names("branch1_conv", "branch1_norm"),
    block=lambda stage: f"blocks.{stage}.{pathway}res_blocks.{{b-1}}",
    parts=("a", "b", "c"),
  )


def _lateral(stage: int) -> Names:
  fusion = f"blocks.{stage - 1}.multipathway_fusion"
  return Names(f"{fusion}.conv_fast_to_slow", f"{fusion}.norm")


FORMATS: tuple[CheckpointFormat, ...] = (
  CheckpointFormat(
    name="pytorchvideo",
    origin="facebookresearch/pytorchvideo",
    rules=rules,
    takes=takes,
    marks=(
      r"blocks\.0\.(multipathway_blocks\.0\.)?conv\.weight",
      r"blocks\.1\.(multipathway_blocks\.0\.)?res_blocks\.0\.branch2\.conv_a\.weight",
    ),
    shown=pyslowfast.shown,
  ),
)
