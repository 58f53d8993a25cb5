"""Rules of the ResNets of huggingface/transformers."""

from convert_weights.checkpoint_format import CheckpointFormat
from convert_weights.formats import resnet
from convert_weights.rules import Rule, batch_norm, conv2d, linear, under


def block() -> list[Rule]:
  """Rules of a `BasicBlock` or a `BottleneckBlock` from a `...Layer`."""
  return [
    *_normed("conv{i}", "norm{i}", "layer.{i-1}"),
    *_normed("conv{i}/space", "conv{i}/norm", "layer.{i-1}"),
    *_normed("shortcut_conv", "shortcut_norm", "shortcut"),
  ]


def stem(prefix: str) -> list[Rule]:
  """Rules of the stem, whose leaves begin with `prefix`."""
  embedder = "resnet.embedder.embedder"
  return _normed(f"{prefix}conv", f"{prefix}norm", embedder)


def blocks(prefix: str) -> list[Rule]:
  """Rules of the blocks, whose leaves begin with `prefix`."""
  theirs = "resnet.encoder.stages.{s-1}.layers.{b-1}"
  return under(block(), f"{prefix}stage{{s}}_block{{b}}", theirs)


def _normed(conv: str, norm: str, tensor: str) -> list[Rule]:
  """Rules of a `ResNetConvLayer` or a `ResNetShortCut`."""
  return [
    *conv2d(conv, f"{tensor}.convolution"),
    *batch_norm(norm, f"{tensor}.normalization"),
  ]


FORMATS: tuple[CheckpointFormat, ...] = (
  CheckpointFormat(
    name="huggingface_resnet",
    origin="huggingface/transformers",
    rules=resnet.inflated(stem, blocks, linear("head", "classifier.1")),
    takes=resnet.takes,
    marks=(r"resnet\.embedder\.embedder\.convolution\.weight",),
    new=resnet.NEW,
  ),
)
