"""Rules of the ConvNeXts of pytorch/vision."""

from convert_weights.checkpoint_format import CheckpointFormat
from convert_weights.formats import convnext, slots
from convert_weights.rules import Rule, layer_norm, linear, under
from temporal_jax.models.backbones.convnext import ConvNeXt


def network(model: ConvNeXt) -> list[Rule]:
  """Rules of a `ConvNeXt`.

  Stages and what is between them are numbered together: stage s is features
  2 s - 1, after the stem, and features 2 s follow it.
  """
  block = convnext.block(
    conv="block.0",
    norm="block.2",
    expand="block.3",
    contract="block.5",
    scale="layer_scale",
    scale_pattern="c 1 1 -> c",
  )
  rules = convnext.stem("features.0.0", "features.0.1")
  for stage in range(1, len(model.stage_sizes) + 1):
    theirs = f"features.{2 * stage - 1}.{{b-1}}"
    rules += under(block, f"stage{stage}_block{{b}}", theirs)
    rules += convnext.downsampling(f"downsample{stage}", f"features.{2 * stage}")
  return [
    *rules,
    *layer_norm("norm", "classifier.0"),
    *linear("head", "classifier.2"),
  ]


FORMATS: tuple[CheckpointFormat, ...] = (
  CheckpointFormat(
    name="torchvision_convnext",
    origin="pytorch/vision, ConvNeXt",
    rules=network,
    takes=convnext.takes,
    marks=(
      r"features\.0\.0\.weight",
      r"features\.1\.0\.layer_scale",
      r"features\.1\.0\.block\.0\.weight",
    ),
    new=slots.NEW,
  ),
)
