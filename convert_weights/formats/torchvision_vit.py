"""Rules of the vision transformers of pytorch/vision."""

from convert_weights.checkpoint_format import CheckpointFormat
from convert_weights.formats import clip, image_towers
from convert_weights.rules import Rule, conv2d, layer_norm, linear, under
from temporal_jax.models.catalog import entry
from temporal_jax.models.network import Network


def transformer_block() -> list[Rule]:
  """Rules of `TransformerBlock` from an `EncoderBlock`, old or new."""
  return [
    *layer_norm("norm1", "ln_1"),
    *clip.attention("attention", "self_attention"),
    *layer_norm("norm2", "ln_2"),
    *linear("mlp/expand", "mlp.0"),
    *linear("mlp/contract", "mlp.3"),
    *linear("mlp/expand", "mlp.linear_1"),
    *linear("mlp/contract", "mlp.linear_2"),
  ]


def vision_transformer() -> list[Rule]:
  """Rules of `VisionTransformer`, with the layer before the classes."""
  encoder = [
    Rule("params/position_embedding", ("pos_embedding",), "1 n c -> n c"),
    *under(transformer_block(), "block{i}", "layers.encoder_layer_{i-1}"),
    *layer_norm("norm", "ln"),
  ]
  return [
    Rule("params/class_token", ("class_token",), "1 1 c -> c"),
    *conv2d("patch_embedding", "conv_proj", bias=True),
    *under(encoder, "", "encoder"),
    *linear("representation", "heads.pre_logits"),
  ]


def _rules(network: Network) -> list[Rule]:
  head = linear("head", "heads.head")
  return image_towers.classified(
    network, vision_transformer(), head, "heads.pre_logits.weight"
  )


FORMATS: tuple[CheckpointFormat, ...] = (
  CheckpointFormat(
    name="torchvision_vit",
    origin="pytorch/vision, VisionTransformer",
    rules=_rules,
    takes=image_towers.is_plain,
    marks=(
      "class_token",
      r"conv_proj\.weight",
      r"encoder\.layers\.encoder_layer_0\.ln_1\.weight",
    ),
    skip={r"heads\.(head|pre_logits)\.(weight|bias)": image_towers.UNCLASSIFIED},
    new={**image_towers.NEW, **image_towers.OTHER_HEADS},
    shown=image_towers.without(
      "representation", "heads.pre_logits.weight", "heads.pre_logits.bias"
    ),
    code_pixels=entry.IMAGENET,
  ),
)
