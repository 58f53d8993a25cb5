"""Rules of the image towers of SigLIP and SigLIP 2 in names of transformers."""

from convert_weights.checkpoint_format import CheckpointFormat
from convert_weights.formats import image_towers
from convert_weights.formats.huggingface_clip import transformer_block
from convert_weights.rules import Picks, Rule, conv2d, layer_norm, linear, under
from temporal_jax.models.network import Network

# Image patches as rows of numbers, with which sizes may differ (NaFlex).
_FLAT_PATCHES = Rule(
  "params/patch_embedding/kernel",
  ("embeddings.patch_embedding.weight",),
  "o (h w i) -> h w i o",
)


def attention_pooling() -> list[Rule]:
  """Rules of `AttentionPooling`, from a head of that kind."""
  rules = []
  for index, name in enumerate(("query", "key", "value")):
    part = Picks((index,), 3)
    rules += [
      Rule(
        f"params/attention/{name}/kernel",
        ("attention.in_proj_weight",),
        "(three m d) i -> three i m d",
        picks=part,
      ),
      Rule(
        f"params/attention/{name}/bias",
        ("attention.in_proj_bias",),
        "(three m d) -> three m d",
        picks=part,
      ),
    ]
  out = "attention.out_proj"
  return [
    Rule("params/probe", ("probe",), "1 1 c -> 1 c"),
    *rules,
    Rule("params/attention/out/kernel", (f"{out}.weight",), "o (m d) -> m d o"),
    Rule("params/attention/out/bias", (f"{out}.bias",), "c -> c"),
    *layer_norm("norm", "layernorm"),
    *linear("mlp/expand", "mlp.fc1"),
    *linear("mlp/contract", "mlp.fc2"),
  ]


def vision_transformer() -> list[Rule]:
  """Rules of `VisionTransformer` from a `SiglipVisionModel`."""
  positions = "embeddings.position_embedding.weight"
  return [
    Rule("params/position_embedding", (positions,), "n c -> n c"),
    *conv2d("patch_embedding", "embeddings.patch_embedding", bias=True),
    *under(transformer_block(), "block{i}", "encoder.layers.{i-1}"),
    *layer_norm("norm", "post_layernorm"),
    *under(attention_pooling(), "pooling", "head"),
  ]


def _named_twice(rules: list[Rule]) -> list[Rule]:
  """Rules of a tower in a published file, and of one by itself in memory."""
  return [*under(rules, "", "vision_model"), *rules]


def _rules(network: Network) -> list[Rule]:
  del network
  return _named_twice(image_towers.from_images(vision_transformer()))


def _flat_rules(network: Network) -> list[Rule]:
  del network
  rules = image_towers.from_images(vision_transformer())
  others = [rule for rule in rules if rule.leaf != _FLAT_PATCHES.leaf]
  return _named_twice([*others, _FLAT_PATCHES])


_SHARED = {
  "takes": image_towers.is_siglip,
  "marks": (
    r"(vision_model\.)?head\.probe",
    r"(vision_model\.)?embeddings\.patch_embedding\.weight",
  ),
  "skip": {
    r"(vision_model\.)?embeddings\.position_ids": "numbers in a row",
    r"text_model\..+": "the text tower; the network reads no texts",
    "logit_scale|logit_bias": "of the similarities; the network has none",
    r"classifier\.(weight|bias)": (
      "the classifier of images reads the mean of the patches, the network the "
      "answer of the attention pooling"
    ),
  },
  "new": {**image_towers.NEW, **image_towers.HEAD},
  "unsaid": image_towers.AS_IN_CONFIG,
}

FORMATS: tuple[CheckpointFormat, ...] = (
  CheckpointFormat(
    name="huggingface_siglip",
    origin="huggingface/transformers, SiglipModel, SiglipVisionModel",
    rules=_rules,
    **_SHARED,
  ),
  CheckpointFormat(
    name="huggingface_siglip2_naflex",
    origin="huggingface/transformers, Siglip2Model, Siglip2VisionModel (NaFlex)",
    rules=_flat_rules,
    **_SHARED,
  ),
)
