"""Rules of the ConvNeXts of huggingface/transformers."""

from convert_weights.checkpoint_format import CheckpointFormat
from convert_weights.formats import convnext, slots
from convert_weights.rules import Rule, layer_norm, linear, under


def network() -> list[Rule]:
  """Rules of a `ConvNeXt`."""
  return [*under(backbone(), "", "convnext"), *linear("head", "classifier")]


def backbone() -> list[Rule]:
  """Rules of a `ConvNeXt` without its head, from a `ConvNextModel`."""
  block = convnext.block(norm="layernorm", scale="layer_scale_parameter")
  stages = "encoder.stages"
  return [
    *convnext.stem("embeddings.patch_embeddings", "embeddings.layernorm"),
    *convnext.downsampling("downsample{s}", f"{stages}.{{s}}.downsampling_layer"),
    *under(block, "stage{s}_block{b}", f"{stages}.{{s-1}}.layers.{{b-1}}"),
    *layer_norm("norm", "layernorm"),
  ]


def dinov3() -> list[Rule]:
  """Rules of a `ConvNeXt` without its head, from a `DINOv3ConvNextModel`.

  In memory its stages are under "model", in files they are not.
  """
  block = convnext.block(
    conv="depthwise_conv",
    norm="layer_norm",
    expand="pointwise_conv1",
    contract="pointwise_conv2",
  )
  first = "stages.0.downsample_layers"
  stages = [
    *convnext.stem(f"{first}.0", f"{first}.1"),
    *convnext.downsampling("downsample{s}", "stages.{s}.downsample_layers"),
    *under(block, "stage{s}_block{b}", "stages.{s-1}.layers.{b-1}"),
  ]
  return [*stages, *under(stages, "", "model"), *layer_norm("norm", "layer_norm")]


FORMATS: tuple[CheckpointFormat, ...] = (
  CheckpointFormat(
    name="huggingface_convnext",
    origin="huggingface/transformers, ConvNextForImageClassification",
    rules=lambda model: network(),
    takes=convnext.takes,
    marks=(r"convnext\.embeddings\.patch_embeddings\.weight",),
    new=slots.NEW,
  ),
  CheckpointFormat(
    name="huggingface_convnext_model",
    origin="huggingface/transformers, ConvNextModel",
    rules=lambda model: backbone(),
    takes=convnext.takes,
    marks=(
      r"embeddings\.patch_embeddings\.weight",
      r"encoder\.stages\.0\.layers\.0\.dwconv\.weight",
    ),
    new={**slots.NEW, **slots.HEAD},
  ),
  CheckpointFormat(
    name="huggingface_dinov3_convnext",
    origin="huggingface/transformers, DINOv3ConvNextModel",
    rules=lambda model: dinov3(),
    takes=convnext.takes,
    marks=(
      r"(model\.)?stages\.0\.downsample_layers\.0\.weight",
      r"(model\.)?stages\.0\.layers\.0\.depthwise_conv\.weight",
      r"layer_norm\.weight",
    ),
    new={**slots.NEW, **slots.HEAD},
  ),
)
