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


def block(
  *,
  conv: str = "dwconv",
  norm: str = "norm",
  expand: str = "pwconv1",
  contract: str = "pwconv2",
  scale: str = "gamma",
  scale_pattern: str = "c -> c",
) -> list[Rule]:
  """Rules of a `ConvNeXtBlock`.

  Args:
    conv: Name of the source's convolution.
    norm: Name of its norm.
    expand: Name of the first layer of its MLP.
    contract: Name of the second.
    scale: Name of its factors of the branch's channels.
    scale_pattern: Pattern of these factors.
  """
  return [
    Rule("params/conv/kernel", (f"{conv}.weight",), "c 1 h w -> h w c"),
    Rule("params/conv/bias", (f"{conv}.bias",), "c -> c"),
    *layer_norm("norm", norm),
    *linear("mlp/expand", expand),
    *linear("mlp/contract", contract),
    Rule("params/scale/scale", (scale,), scale_pattern),
  ]


def stem(conv: str, norm: str) -> list[Rule]:
  """Rules of the stem; one over time is inflated."""
  kernels = conv2d("stem_conv", conv, bias=True)
  return [*changing(kernels, changes.inflate_stem), *layer_norm("stem_norm", norm)]


def downsampling(leaf: str, tensor: str) -> list[Rule]:
  """Rules of norm and convolution between two stages."""
  return [
    *layer_norm(f"{leaf}_norm", f"{tensor}.0"),
    *conv2d(f"{leaf}_conv", f"{tensor}.1", bias=True),
  ]


def network() -> list[Rule]:
  """Rules of a `ConvNeXt` from its authors'."""
  return [
    *stem("downsample_layers.0.0", "downsample_layers.0.1"),
    *downsampling("downsample{s}", "downsample_layers.{s}"),
    *under(block(), "stage{s}_block{b}", "stages.{s-1}.{b-1}"),
    *layer_norm("norm", "norm"),
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
