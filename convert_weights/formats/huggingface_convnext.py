"""Rules of the ConvNeXts of huggingface/transformers."""

from convert_weights import changes
from convert_weights.checkpoint_format import CheckpointFormat
from convert_weights.formats import convnext, slots
from convert_weights.rules import (
  Rule,
  changing,
  conv2d,
  layer_norm,
  linear,
  under,
)


def network() -> list[Rule]:
  """Rules of a `ConvNeXt`; a stem over time is inflated."""
  patches, stages = "embeddings.patch_embeddings", "encoder.stages"
  stem = conv2d("stem_conv", patches, bias=True)
  between = f"{stages}.{{s}}.downsampling_layer"
  block = convnext.block(norm="layernorm", scale="layer_scale_parameter")
  backbone = [
    *changing(stem, changes.inflate_stem),
    *layer_norm("stem_norm", "embeddings.layernorm"),
    *layer_norm("downsample{s}_norm", f"{between}.0"),
    *conv2d("downsample{s}_conv", f"{between}.1", bias=True),
    *under(block, "stage{s}_block{b}", f"{stages}.{{s-1}}.layers.{{b-1}}"),
    *layer_norm("norm", "layernorm"),
  ]
  return [*under(backbone, "", "convnext"), *linear("head", "classifier")]


FORMATS: tuple[CheckpointFormat, ...] = (
  CheckpointFormat(
    name="huggingface_convnext",
    origin="huggingface/transformers",
    rules=lambda model: network(),
    takes=convnext.takes,
    marks=(r"convnext\.embeddings\.patch_embeddings\.weight",),
    new=slots.NEW,
  ),
)
