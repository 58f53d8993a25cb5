"""Rules of mit-han-lab/temporal-shift-module: TSM and TSN."""

from convert_weights.checkpoint_format import CheckpointFormat, Refusal
from convert_weights.formats import resnet, shifted_resnet
from convert_weights.rules import Rule, batch_norm, conv2d, linear, under
from temporal_jax.models.backbones.resnet import ResNet

NON_LOCAL = "blocks are followed by non-local ones; no network here has them."


def rules(network: ResNet) -> list[Rule]:
  """Rules of a network that `shifted_resnet.takes` takes."""
  blocks = shifted_resnet.blocks(network, _block, theirs="base_model.", wrapper=".net")
  stem = under(resnet.stem("stem_"), "", "base_model")
  return [*stem, *blocks, *linear("head", "new_fc")]


def _block(wrapper: str) -> list[Rule]:
  """Rules of a block; its first convolution may be within a shift."""
  return [
    *conv2d("conv1", f"conv1{wrapper}"),
    *conv2d("conv2", "conv2"),
    *conv2d("conv3", "conv3"),
    *batch_norm("norm{i}", "bn{i}"),
    *conv2d("shortcut_conv", "downsample.0"),
    *batch_norm("shortcut_norm", "downsample.1"),
  ]


FORMATS: tuple[CheckpointFormat, ...] = (
  CheckpointFormat(
    name="tsm",
    origin="mit-han-lab/temporal-shift-module",
    rules=rules,
    takes=shifted_resnet.takes,
    marks=(
      r"base_model\.layer1\.0\.conv1\.(net\.)?weight",
      r"base_model\.bn1\.weight",
      r"new_fc\.weight",
    ),
    refusals=(Refusal(NON_LOCAL, has=r"base_model\.layer\d\.\d+\.nl\..+"),),
  ),
)
