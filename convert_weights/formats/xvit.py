"""Rules of 1adrianb/video-transformers, whose blocks are timm's."""

from convert_weights.checkpoint_format import SKIP, CheckpointFormat, Refusal
from convert_weights.rules import Rule, conv2d, layer_norm, linear, under
from temporal_jax.models.backbones.vision_transformer import VisionTransformer
from temporal_jax.models.blocks import heads
from temporal_jax.models.blocks.temporal_attention import TemporalAttentionAggregation
from temporal_jax.models.network import Network


def attention() -> list[Rule]:
  """Rules of `SelfAttention` from a timm `Attention`."""
  return [
    Rule("params/qkv/kernel", ("qkv.weight",), "(three m d) i -> i three m d"),
    Rule("params/qkv/bias", ("qkv.bias",), "(three m d) -> three m d"),
    Rule("params/out/kernel", ("proj.weight",), "o (m d) -> m d o"),
    Rule("params/out/bias", ("proj.bias",), "c -> c"),
  ]


def transformer_block() -> list[Rule]:
  """Rules of `TransformerBlock` from a timm `Block`."""
  return [
    *layer_norm("norm1", "norm1"),
    *under(attention(), "attention", "attn"),
    *layer_norm("norm2", "norm2"),
    *linear("mlp/expand", "mlp.fc1"),
    *linear("mlp/contract", "mlp.fc2"),
  ]


def temporal_attention() -> list[Rule]:
  """Rules of `TemporalAttentionAggregation` from a `VitHead`."""
  return [
    Rule("params/class_token", ("cls_token",), "1 1 c -> c"),
    *under(transformer_block(), "block{i}", "temporal_encoder.{i-1}"),
    *layer_norm("norm", "mlp_head.0"),
    *linear("expand", "mlp_head.1"),
    *linear("head", "mlp_head.4"),
  ]


def vision_transformer() -> list[Rule]:
  """Rules of `VisionTransformer` from X-ViT's, with temporal positions."""
  return [
    Rule("params/class_token", ("cls_token",), "1 1 c -> c"),
    Rule("params/position_embedding", ("pos_embed",), "1 n c -> n c"),
    Rule("params/temporal_embedding", ("temp_embed",), "1 t 1 c -> t c"),
    *conv2d("patch_embedding", "patch_embed.proj", bias=True),
    *under(transformer_block(), "block{i}", "blocks.{i-1}"),
    *layer_norm("norm", "norm"),
    *linear("head", "head"),
  ]


# With the attention head the source keeps a classifier that it does not call.
UNUSED = {r"new_fc\.(weight|bias)": "a classifier that X-ViT does not call"}


def network(*, attention: bool = True) -> list[Rule]:
  """Rules of `VisionTransformer` from an `XVIT`, with its head."""
  backbone = [r for r in vision_transformer() if "/head/" not in r.leaf]
  if attention:
    head = under(temporal_attention(), "head", "consensus")
  else:  # Without dropout the classifier is the backbone's own.
    head = [*linear("head", "new_fc"), *linear("head", "base_model.head")]
  return [*under(backbone, "", "base_model"), *head]


def _takes(network: Network) -> bool:
  """Returns whether a network mixes keys and values as X-ViT does."""
  return (
    isinstance(network, VisionTransformer)
    and network.num_temporal_positions > 0
    and network.temporal.filled() == {"keys_values"}
    and (_attends(network) or network.head == "average")
  )


def _attends(network: VisionTransformer) -> bool:
  """Returns whether a network's head is X-ViT's attention over the frames."""
  factory = heads.resolve(network.head)
  return getattr(factory, "func", factory) is TemporalAttentionAggregation


_BLOCK = r"base_model\.blocks\.0"
_NORMS = "norms of XVIT.BACKBONE.NORM_LAYER {} in the backbone; known is LN."
_REFUSALS = (
  Refusal(
    "the head over time is missing, as with CONSENSUS_TYPE avg or identity: "
    "--set head=average.",
    lacks=r"consensus\.cls_token",
  ),
  Refusal(
    "the head over time has TEMPORAL_HEAD.NUM_HIDDEN_LAYERS above 1: in "
    "Python, give convert head=functools.partial("
    "TemporalAttentionAggregation, num_blocks=NUM_HIDDEN_LAYERS).",
    has=r"consensus\.temporal_encoder\.1\..+",
  ),
  Refusal(
    "with DROPOUT_RATE 0 base_model.head classifies every frame before the "
    "head over time, which takes features: no network here does so.",
    has=r"base_model\.head\.weight",
  ),
  Refusal(_NORMS.format("BN"), has=rf"{_BLOCK}\.norm1\.running_mean"),
  Refusal(_NORMS.format("IN"), lacks=rf"{_BLOCK}\.norm1\.weight"),
  Refusal(
    "BASE_MODEL is a distilled DeiT, with a second token; known are timm's "
    "ViTs without it.",
    has=r"base_model\.dist_token",
  ),
  Refusal(
    "BASE_MODEL is a hybrid, with a ResNet before the blocks; known are ViTs "
    "on patches.",
    has=r"base_model\.patch_embed\.backbone\..+",
  ),
  Refusal(
    "BASE_MODEL has no biases of queries, keys and values (timm's first "
    "vit_small_patch16_224, of another scale too); known are ViTs with them.",
    lacks=rf"{_BLOCK}\.attn\.qkv\.bias",
  ),
)


FORMATS: tuple[CheckpointFormat, ...] = (
  CheckpointFormat(
    name="xvit",
    origin="1adrianb/video-transformers",
    rules=lambda model: network(attention=_attends(model)),
    takes=_takes,
    marks=(r"base_model\.temp_embed",),
    skip={**SKIP, **UNUSED},
    forms=({"head": "average"},),
    refusals=_REFUSALS,
    fixed=("activation",),
    unsaid={
      "temporal": (
        "Weights of the authors' configs for Kinetics need xvit_b16_kinetics, "
        "for Something-Something v2 xvit_b16_ssv2."
      )
    },
  ),
)
