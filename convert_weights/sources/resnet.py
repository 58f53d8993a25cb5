"""Rules of pytorch/vision's ResNets."""

from convert_weights.rules import Rule, batch_norm, conv2d, linear, under


def block() -> list[Rule]:
  """Rules of a `BasicBlock` or a `BottleneckBlock`."""
  return [
    *conv2d("conv{i}", "conv{i}"),
    *batch_norm("norm{i}", "bn{i}"),
    *conv2d("shortcut_conv", "downsample.0"),
    *batch_norm("shortcut_norm", "downsample.1"),
  ]


def network() -> list[Rule]:
  """Rules of a `ResNet`."""
  return [
    *conv2d("stem_conv", "conv1"),
    *batch_norm("stem_norm", "bn1"),
    *under(block(), "stage{s}_block{b}", "layer{s}.{b-1}"),
    *linear("head", "fc"),
  ]
