"""Rules of facebookresearch/ConvNeXt."""

from convert_weights.rules import Rule, conv2d, layer_norm, linear, under


def shared() -> list[Rule]:
  """Rules of a `ConvNeXt` but for its kernels, its blocks and its head."""
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


def block() -> list[Rule]:
  """Rules of a `ConvNeXtBlock`."""
  return [
    Rule("params/conv/kernel", ("dwconv.weight",), "c 1 h w -> h w c"),
    Rule("params/conv/bias", ("dwconv.bias",), "c -> c"),
    *layer_norm("norm", "norm"),
    *linear("mlp/expand", "pwconv1"),
    *linear("mlp/contract", "pwconv2"),
    Rule("params/scale/scale", ("gamma",), "c -> c"),
  ]


def network() -> list[Rule]:
  """Rules of a `ConvNeXt`."""
  return [
    *conv2d("stem_conv", "downsample_layers.0.0"),
    *conv2d("downsample{s}_conv", "downsample_layers.{s}.1"),
    *shared(),
    *under(block(), "stage{s}_block{b}", "stages.{s-1}.{b-1}"),
    *linear("head", "head"),
  ]
