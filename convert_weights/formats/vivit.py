"""Rules of ViViT in transformers' names and in scenic's, which are Flax's."""

from convert_weights.checkpoint_format import CheckpointFormat
from convert_weights.formats import google_vit, huggingface_vit, image_towers, slots
from convert_weights.rules import Rule, conv3d, linear, under
from temporal_jax.layers import JointAttention
from temporal_jax.models.backbones.vision_transformer import VisionTransformer
from temporal_jax.models.blocks import heads
from temporal_jax.models.blocks.temporal_encoder import TemporalEncoder
from temporal_jax.models.network import Network


def transformers_network() -> list[Rule]:
  """Rules of `VisionTransformer` from a `VivitModel`."""
  tower = [
    rule
    for rule in huggingface_vit.vision_transformer()
    if "patch_embedding" not in rule.leaf
  ]
  return [
    *conv3d("patch_embedding", "embeddings.patch_embeddings.projection", bias=True),
    *tower,
  ]


def transformers_classifier() -> list[Rule]:
  """Rules of a `VivitForVideoClassification`."""
  tower = [r for r in transformers_network() if "/representation/" not in r.leaf]
  return [*under(tower, "", "vivit"), *linear("head", "classifier")]


def scenic_network(network: Network) -> list[Rule]:
  """Rules of `VisionTransformer` from scenic's `ViViT`, or `SpaceTimeViViT`."""
  space = "Transformer" if is_joint(network) else "SpatialTransformer"
  token = "cls" if is_joint(network) else "cls_SpatialTransformer"
  output = "head" if is_joint(network) else "head/head"
  rules = [
    Rule(
      "params/patch_embedding/kernel", ("embedding/kernel",), "t h w i o -> t h w i o"
    ),
    Rule("params/patch_embedding/bias", ("embedding/bias",), "c -> c"),
    Rule("params/class_token", (token,), "1 1 c -> c"),
    *_scenic_encoder(space),
    *google_vit.dense(output, "output_projection"),
  ]
  if is_joint(network):
    return rules
  head = [
    Rule("params/class_token", ("cls_TemporalTransformer",), "1 1 c -> c"),
    *_scenic_encoder("TemporalTransformer"),
  ]
  return [*rules, *under(head, "head", "")]


def _scenic_encoder(name: str) -> list[Rule]:
  return [
    Rule(
      "params/position_embedding",
      (f"{name}/posembed_input/pos_embedding",),
      "1 n c -> n c",
    ),
    *google_vit.transformer_block(
      f"{name}/encoderblock_{{i-1}}",
      norms=("LayerNorm_0", "LayerNorm_1"),
      attention="MultiHeadDotProductAttention_0",
      mlp="MlpBlock_0",
    ),
    *google_vit.layer_norm("norm", f"{name}/encoder_norm"),
  ]


def is_joint(network: Network) -> bool:
  """Whether a network has the form of ViViT's model 1."""
  return (
    isinstance(network, VisionTransformer)
    and network.positions == "clip"
    and network.shared_class_token
    and network.temporal.filled() == {"attention"}
    and isinstance(slots.filling(network, "attention"), JointAttention)
  )


def _is_factorised(network: Network) -> bool:
  """Whether a network has the form of ViViT's model 2."""
  if not image_towers.is_plain(network) or network.temporal.filled():
    return False
  factory = heads.resolve(network.head)
  return getattr(factory, "func", factory) is TemporalEncoder


FORMATS: tuple[CheckpointFormat, ...] = (
  CheckpointFormat(
    name="huggingface_vivit",
    origin="huggingface/transformers, VivitForVideoClassification",
    rules=lambda network: transformers_classifier(),
    takes=is_joint,
    marks=(r"vivit\.embeddings\.cls_token", r"vivit\.layernorm\.weight"),
    unsaid=image_towers.AS_IN_CONFIG,
  ),
  CheckpointFormat(
    name="huggingface_vivit_model",
    origin="huggingface/transformers, VivitModel",
    rules=lambda network: transformers_network(),
    takes=is_joint,
    marks=(r"embeddings\.cls_token", r"embeddings\.patch_embeddings\..+"),
    absent=image_towers.HUGGINGFACE_DINO,
    skip={r"pooler\.dense\.(weight|bias)": image_towers.UNCLASSIFIED},
    new=image_towers.HEAD,
    unsaid=image_towers.AS_IN_CONFIG,
  ),
  CheckpointFormat(
    name="scenic_vivit",
    origin="google-research/scenic, ViViT",
    rules=scenic_network,
    takes=is_joint,
    marks=("cls", "Transformer/encoder_norm/scale", "output_projection/kernel"),
  ),
  CheckpointFormat(
    name="scenic_vivit_factorised",
    origin="google-research/scenic, SpaceTimeViViT",
    rules=scenic_network,
    takes=_is_factorised,
    marks=("cls_SpatialTransformer", "cls_TemporalTransformer"),
  ),
)
