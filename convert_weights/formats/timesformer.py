"""Rules of TimeSformer in its authors' names, transformers' and mmaction2's.

The authors' form without attention over time is timm's ViT, as which it is read
(source timm_vit).
"""

from convert_weights.changes import resize_moments
from convert_weights.checkpoint_format import CheckpointFormat
from convert_weights.formats import clip, image_towers, slots, xvit
from convert_weights.rules import Rule, conv2d, layer_norm, linear, under
from temporal_jax.layers import JointAttention, TemporalAttention
from temporal_jax.models.network import Network


def branch() -> list[Rule]:
  """Rules of `TemporalAttention` from the `Block` of TimeSformer."""
  return [
    *layer_norm("norm", "temporal_norm1"),
    *under(xvit.attention(), "attention", "temporal_attn"),
    *linear("out", "temporal_fc"),
  ]


def vision_transformer() -> list[Rule]:
  """Rules of `VisionTransformer` from TimeSformer's."""
  block = [*under(branch(), "attention_branch", ""), *xvit.transformer_block()]
  return [
    *_tokens("cls_token", "pos_embed", "time_embed"),
    *conv2d("patch_embedding", "patch_embed.proj", bias=True),
    *under(block, "block{i}", "blocks.{i-1}"),
    *layer_norm("norm", "norm"),
    *linear("head", "head"),
  ]


def transformers_network() -> list[Rule]:
  """Rules of `VisionTransformer` from a `TimesformerModel`."""
  return [
    *_tokens(
      "embeddings.cls_token",
      "embeddings.position_embeddings",
      "embeddings.time_embeddings",
    ),
    *conv2d("patch_embedding", "embeddings.patch_embeddings.projection", bias=True),
    *under(_transformers_block(), "block{i}", "encoder.layer.{i-1}"),
    *layer_norm("norm", "layernorm"),
  ]


def _transformers_block() -> list[Rule]:
  temporal = [
    *layer_norm("norm", "temporal_layernorm"),
    *under(
      _transformers_attention(),
      "attention",
      "temporal_attention",
    ),
    *linear("out", "temporal_dense"),
  ]
  return [
    *under(temporal, "attention_branch", ""),
    *layer_norm("norm1", "layernorm_before"),
    *under(_transformers_attention(), "attention", "attention"),
    *layer_norm("norm2", "layernorm_after"),
    *linear("mlp/expand", "intermediate.dense"),
    *linear("mlp/contract", "output.dense"),
  ]


def _transformers_attention() -> list[Rule]:
  return [
    Rule(
      "params/qkv/kernel",
      ("attention.qkv.weight",),
      "(three m d) i -> i three m d",
    ),
    Rule("params/qkv/bias", ("attention.qkv.bias",), "(three m d) -> three m d"),
    Rule("params/out/kernel", ("output.dense.weight",), "o (m d) -> m d o"),
    Rule("params/out/bias", ("output.dense.bias",), "c -> c"),
  ]


def mmaction2_network(network: Network) -> list[Rule]:
  """Rules of mmaction2's `TimeSformer` with its head."""
  is_divided = "attention_branch" in network.temporal.filled()
  block = _mmaction2_divided() if is_divided else _mmaction2_block()
  backbone = [
    *_tokens("cls_token", "pos_embed", "time_embed"),
    *conv2d("patch_embedding", "patch_embed.projection", bias=True),
    *under(block, "block{i}", "transformer_layers.layers.{i-1}"),
    *layer_norm("norm", "norm"),
  ]
  return [*under(backbone, "", "backbone"), *linear("head", "cls_head.fc_cls")]


def _mmaction2_divided() -> list[Rule]:
  temporal = [
    *layer_norm("norm", "norm"),
    *clip.attention("attention", "attn"),
    *linear("out", "temporal_fc"),
  ]
  return [
    *under(temporal, "attention_branch", "attentions.0"),
    *layer_norm("norm1", "attentions.1.norm"),
    *clip.attention("attention", "attentions.1.attn"),
    *layer_norm("norm2", "ffns.0.norm"),
    *_mmaction2_mlp(),
  ]


def _mmaction2_block() -> list[Rule]:
  return [
    *layer_norm("norm1", "norms.0"),
    *clip.attention("attention", "attentions.0.attn"),
    *layer_norm("norm2", "norms.1"),
    *_mmaction2_mlp(),
  ]


def _mmaction2_mlp() -> list[Rule]:
  return [
    *linear("mlp/expand", "ffns.0.layers.0.0"),
    *linear("mlp/contract", "ffns.0.layers.1"),
  ]


def _tokens(class_token: str, places: str, moments: str) -> list[Rule]:
  """Rules of the class token and of the positions in frame and clip."""
  in_space = [
    Rule("params/class_token", (class_token,), "1 1 c -> c"),
    Rule("params/position_embedding", (places,), "1 n c -> n c"),
  ]
  in_time = Rule("params/temporal_embedding", (moments,), "1 t c -> t c")
  return [
    *image_towers.from_images(in_space),
    in_time._replace(change=resize_moments),
  ]


def is_over_time(network: Network) -> bool:
  """Whether a network has TimeSformer's divided or joint attention."""
  if not (image_towers.is_plain(network) and network.shared_class_token):
    return False
  filled = network.temporal.filled()
  if filled == {"attention"}:
    return isinstance(slots.filling(network, "attention"), JointAttention)
  if filled != {"attention_branch"}:
    return False
  module = slots.filling(network, "attention_branch")
  return isinstance(module, TemporalAttention) and not module.aligned


def _is_framewise(network: Network) -> bool:
  """Whether a network is TimeSformer's without attention over time."""
  return (
    image_towers.is_plain(network)
    and network.average_first
    and network.head == "average"
    and not network.temporal.filled()
    and max(network.tubelet) == 1
    and not network.num_temporal_positions
  )


def transformers_classifier() -> list[Rule]:
  """Rules of a `TimesformerForVideoClassification`."""
  return [
    *under(transformers_network(), "", "timesformer"),
    *linear("head", "classifier"),
  ]


FORMATS: tuple[CheckpointFormat, ...] = (
  CheckpointFormat(
    name="timesformer",
    origin="facebookresearch/TimeSformer",
    rules=lambda network: vision_transformer(),
    takes=is_over_time,
    marks=("time_embed", r"blocks\.0\.attn\.qkv\.weight"),
  ),
  CheckpointFormat(
    name="huggingface_timesformer",
    origin="huggingface/transformers, TimesformerForVideoClassification",
    rules=lambda network: transformers_classifier(),
    takes=is_over_time,
    marks=(
      r"timesformer\.embeddings\.time_embeddings",
      r"timesformer\.layernorm\.weight",
    ),
    unsaid=image_towers.AS_IN_CONFIG,
  ),
  CheckpointFormat(
    name="huggingface_timesformer_model",
    origin="huggingface/transformers, TimesformerModel",
    rules=lambda network: transformers_network(),
    takes=is_over_time,
    marks=(r"embeddings\.time_embeddings", r"embeddings\.patch_embeddings\..+"),
    new=image_towers.HEAD,
    unsaid=image_towers.AS_IN_CONFIG,
  ),
  CheckpointFormat(
    name="mmaction2_timesformer",
    origin="open-mmlab/mmaction2",
    rules=mmaction2_network,
    takes=lambda network: is_over_time(network) or _is_framewise(network),
    marks=(
      r"backbone\.transformer_layers\.layers\.0\.attentions\.0\.attn\.in_proj_weight",
      r"backbone\.pos_embed",
    ),
    pixels="mmaction2's configs have 0.5 for all: change them there.",
  ),
)
