"""Rules of timm's ConvNeXts."""

from convert_weights.checkpoint_format import CheckpointFormat, Refusal
from convert_weights.formats import convnext, slots
from convert_weights.rules import Rule, layer_norm, linear, under


def network() -> list[Rule]:
  """Rules of a `ConvNeXt`."""
  block = convnext.block(conv="conv_dw", expand="mlp.fc1", contract="mlp.fc2")
  return [
    *convnext.stem("stem.0", "stem.1"),
    *convnext.downsampling("downsample{s}", "stages.{s}.downsample"),
    *under(block, "stage{s}_block{b}", "stages.{s-1}.blocks.{b-1}"),
    *layer_norm("norm", "head.norm"),
    *linear("head", "head.fc"),
  ]


FORMATS: tuple[CheckpointFormat, ...] = (
  CheckpointFormat(
    name="timm_convnext",
    origin="huggingface/pytorch-image-models, ConvNeXt; open_clip's visual.trunk",
    rules=lambda model: network(),
    takes=convnext.takes,
    marks=(r"stem\.0\.weight", r"stages\.0\.blocks\.0\.conv_dw\.weight"),
    new={**slots.NEW, **slots.HEAD},
    pixels="For those of a CLIP they are OpenAI's: change them there.",
    refusals=(
      Refusal(
        "its head has a hidden layer (head_hidden_size); known are ConvNeXts with "
        "a linear classifier.",
        has=r"head\.pre_logits\.fc\.weight",
      ),
    ),
  ),
)
