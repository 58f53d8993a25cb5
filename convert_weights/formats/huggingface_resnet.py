"""Rules of the ResNets of huggingface/transformers."""

import functools

from convert_weights.checkpoint_format import CheckpointFormat
from convert_weights.formats import resnet, slots
from convert_weights.rules import Rule, batch_norm, conv2d, linear, under


def block() -> list[Rule]:
  """Rules of a `BasicBlock` or a `BottleneckBlock` from a `...Layer`."""
  return [
    *_normed("conv{i}", "norm{i}", "layer.{i-1}"),
    *_normed("conv{i}/space", "conv{i}/norm", "layer.{i-1}"),
    *_normed("shortcut_conv", "shortcut_norm", "shortcut"),
  ]


def stem(prefix: str, model: str = "resnet") -> list[Rule]:
  """Rules of the stem.

  Args:
    prefix: Text with which its leaves begin.
    model: Name of the `ResNetModel`, "" for one by itself.
  """
  rules = _normed(f"{prefix}conv", f"{prefix}norm", "embedder.embedder")
  return under(rules, "", model)


def blocks(prefix: str, model: str = "resnet") -> list[Rule]:
  """Rules of the blocks; arguments as in `stem`."""
  theirs = "encoder.stages.{s-1}.layers.{b-1}"
  rules = under(block(), f"{prefix}stage{{s}}_block{{b}}", theirs)
  return under(rules, "", model)


def _normed(conv: str, norm: str, tensor: str) -> list[Rule]:
  """Rules of a `ResNetConvLayer` or a `ResNetShortCut`."""
  return [
    *conv2d(conv, f"{tensor}.convolution"),
    *batch_norm(norm, f"{tensor}.normalization"),
  ]


FORMATS: tuple[CheckpointFormat, ...] = (
  CheckpointFormat(
    name="huggingface_resnet",
    origin="huggingface/transformers, ResNetForImageClassification",
    rules=resnet.inflated(stem, blocks, linear("head", "classifier.1")),
    takes=resnet.takes,
    marks=(r"resnet\.embedder\.embedder\.convolution\.weight",),
    new=resnet.NEW,
  ),
  CheckpointFormat(
    name="huggingface_resnet_model",
    origin="huggingface/transformers, ResNetModel, ResNetBackbone",
    rules=resnet.inflated(
      functools.partial(stem, model=""), functools.partial(blocks, model=""), []
    ),
    takes=resnet.takes,
    marks=(
      r"embedder\.embedder\.convolution\.weight",
      r"encoder\.stages\.0\.layers\.0\.layer\.0\.convolution\.weight",
    ),
    new={**resnet.NEW, **slots.HEAD},
  ),
)
