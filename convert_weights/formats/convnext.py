"""Rules of facebookresearch/ConvNeXt, and of networks that start from it."""

from convert_weights import changes
from convert_weights.checkpoint_format import CheckpointFormat
from convert_weights.formats import slots
from convert_weights.rules import (
  Rule,
  changing,
  conv2d,
  layer_norm,
  linear,
  under,
)
from temporal_jax.models.backbones.convnext import ConvNeXt
from temporal_jax.models.network import Network


def shared() -> list[Rule]:
  """Rules of a `ConvNeXt` except for its kernels, its blocks and its head."""
  return [
    Rule("params/stem_conv/bias", ("downsample_layers.0.0.bias",), "c -> c"),
    *layer_norm("stem_norm", "downsample_layers.0.1"),
    *layer_norm("downsample{s}_norm", "downsample_layers.{s}.0"),
    Rule(
      "params/downsample{s}_conv/bias",
      ("downsample_layers.{s}.1.bias",),
      "c -> c",
    ),
    *layer_norm("norm", "norm"),
  ]


def block(*, norm: str = "norm", scale: str = "gamma") -> list[Rule]:
  """Rules of a `ConvNeXtBlock`.

  Args:
    norm: Name of the source's norm.
    scale: Name of its factors of the branch's channels.
  """
  return [
    Rule("params/conv/kernel", ("dwconv.weight",), "c 1 h w -> h w c"),
    Rule("params/conv/bias", ("dwconv.bias",), "c -> c"),
    *layer_norm("norm", norm),
    *linear("mlp/expand", "pwconv1"),
    *linear("mlp/contract", "pwconv2"),
    Rule("params/scale/scale", (scale,), "c -> c"),
  ]


def network() -> list[Rule]:
  """Rules of a `ConvNeXt`; a stem over time is inflated."""
  stem = conv2d("stem_conv", "downsample_layers.0.0")
  return [
    *changing(stem, changes.inflate_stem),
    *conv2d("downsample{s}_conv", "downsample_layers.{s}.1"),
    *shared(),
    *under(block(), "stage{s}_block{b}", "stages.{s-1}.{b-1}"),
    *linear("head", "head"),
  ]


def takes(network: Network) -> bool:
  """Returns whether a network can start from a ConvNeXt over images."""
  return isinstance(network, ConvNeXt)


FORMATS: tuple[CheckpointFormat, ...] = (
  CheckpointFormat(
    name="convnext",
    origin="facebookresearch/ConvNeXt",
    rules=lambda model: network(),
    takes=takes,
    marks=(
      r"downsample_layers\.0\.0\.weight",
      r"stages\.0\.0\.dwconv\.weight",
    ),
    new=slots.NEW,
  ),
)
