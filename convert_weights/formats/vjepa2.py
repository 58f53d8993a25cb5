"""Rules of V-JEPA 2 in its authors' names and in those of transformers."""

from collections.abc import Mapping
from typing import Any

from convert_weights.checkpoint_format import (
  CheckpointFormat,
  Shown,
  show_nothing,
)
from convert_weights.formats import image_towers
from convert_weights.rules import Rule, conv3d, layer_norm, linear, under
from temporal_jax.models.backbones.vision_transformer import VisionTransformer
from temporal_jax.models.network import Network

# Patches of V-JEPA's clips, which has sines in their place: 16 frames of 224 or
# of 384 pixels.
_FIRST_GRIDS = (8 * 14**2, 8 * 24**2)


def _attention(names: tuple[str, str, str], out: str) -> list[Rule]:
  """Rules of `SelfAttention` from queries, keys and values apart."""
  kernels, biases = (
    tuple(f"{name}.{kind}" for name in names) for kind in ("weight", "bias")
  )
  return [
    Rule("params/qkv/kernel", kernels, "three (m d) i -> i three m d"),
    Rule("params/qkv/bias", biases, "three (m d) -> three m d"),
    *_output(out),
  ]


def _fused_attention() -> list[Rule]:
  """Rules of `SelfAttention` from the authors' `RoPEAttention`."""
  return [
    Rule("params/qkv/kernel", ("qkv.weight",), "(three m d) i -> i three m d"),
    Rule("params/qkv/bias", ("qkv.bias",), "(three m d) -> three m d"),
    *_output("proj"),
  ]


def _output(name: str) -> list[Rule]:
  return [
    Rule("params/out/kernel", (f"{name}.weight",), "o (m d) -> m d o"),
    Rule("params/out/bias", (f"{name}.bias",), "c -> c"),
  ]


def _mlp() -> list[Rule]:
  return [*linear("mlp/expand", "mlp.fc1"), *linear("mlp/contract", "mlp.fc2")]


def vision_transformer() -> list[Rule]:
  """Rules of `VisionTransformer` from the authors', without pooling."""
  block = [
    *layer_norm("norm1", "norm1"),
    *under(_fused_attention(), "attention", "attn"),
    *layer_norm("norm2", "norm2"),
    *_mlp(),
  ]
  return [
    *conv3d("patch_embedding", "patch_embed.proj", bias=True),
    *under(block, "block{i}", "blocks.{i-1}"),
    *layer_norm("norm", "norm"),
  ]


def transformers_encoder() -> list[Rule]:
  """Rules of `VisionTransformer` from a `VJEPA2Encoder`, without pooling."""
  block = [
    *layer_norm("norm1", "norm1"),
    *under(_attention(("query", "key", "value"), "proj"), "attention", "attention"),
    *layer_norm("norm2", "norm2"),
    *_mlp(),
  ]
  return [
    *conv3d("patch_embedding", "embeddings.patch_embeddings.proj", bias=True),
    *under(block, "block{i}", "layer.{i-1}"),
    *layer_norm("norm", "layernorm"),
  ]


def attentive_pooling() -> list[Rule]:
  """Rules of `AttentivePooling` from a `VJEPA2AttentivePooler`."""
  block = [
    *layer_norm("norm1", "layer_norm1"),
    *under(
      _attention(("q_proj", "k_proj", "v_proj"), "out_proj"),
      "attention",
      "self_attn",
    ),
    *layer_norm("norm2", "layer_norm2"),
    *_mlp(),
  ]
  query = [
    *layer_norm("norm", "layer_norm1"),
    *under([*layer_norm("norm", "layer_norm2"), *_mlp()], "query", ""),
  ]
  for name in ("query", "key", "value"):
    theirs = f"cross_attn.{name[0]}_proj"
    ours = f"params/query/attention/{name}"
    query += [
      Rule(f"{ours}/kernel", (f"{theirs}.weight",), "(m d) i -> i m d"),
      Rule(f"{ours}/bias", (f"{theirs}.bias",), "(m d) -> m d"),
    ]
  return [
    Rule("params/query/probe", ("query_tokens",), "1 1 c -> 1 c"),
    *under(block, "block{i}", "self_attention_layers.{i-1}"),
    *under(query, "", "cross_attention_layer"),
  ]


def transformers_classifier() -> list[Rule]:
  """Rules of a `VJEPA2ForVideoClassification`."""
  return [
    *under(transformers_encoder(), "", "vjepa2.encoder"),
    *under(attentive_pooling(), "pooling", "pooler"),
    *linear("head", "classifier"),
  ]


def takes(network: Network) -> bool:
  """Whether a network has the form of V-JEPA 2's encoder."""
  return (
    isinstance(network, VisionTransformer)
    and not network.has_class_token
    and network.positions == "none"
    and not network.average_first
    and image_towers.block_argument(network, "rotary") is not None
  )


def _is_probed(network: Network) -> bool:
  """Whether a network has the attentive pooling as well."""
  return takes(network) and network.pooling == "attentive"


def _check_positions(network: Network, found: Mapping[str, Any]) -> Mapping[str, Shown]:
  """Shows no arguments.

  Raises:
    ValueError: If the positions are those of the first V-JEPA.
  """
  positions = found.get("pos_embed")
  if positions is not None and positions.shape[1] in _FIRST_GRIDS:
    raise ValueError(
      f"pos_embed has {positions.shape[1]} patches, as V-JEPA has, whose positions "
      "are added; the networks here take weights of V-JEPA 2."
    )
  return show_nothing(network, found)


_NEW = {
  **image_towers.NEW,
  **image_towers.HEAD,
  "params/pooling/.+": "the attentive pooling, which pre-training does not have",
}
_PREDICTOR = "the predictor of pre-training, which the network does not have"
_PATCHES = r"encoder\.embeddings\.patch_embeddings\.proj\.weight"

FORMATS: tuple[CheckpointFormat, ...] = (
  CheckpointFormat(
    name="vjepa2",
    origin="facebookresearch/vjepa2, its encoder or target_encoder",
    rules=lambda network: vision_transformer(),
    takes=takes,
    marks=(
      r"patch_embed\.proj\.weight",
      r"blocks\.0\.attn\.qkv\.bias",
      r"blocks\.0\.mlp\.fc1\.weight",
      r"norm\.weight",
    ),
    absent=(
      r"cls_token",
      r"attn_pool\..+",
      r"blocks\.0\.ls1\.gamma",
      r"(head|fc_norm|clip_projector)\..+",
    ),
    skip={"pos_embed": "sines that rotary positions replaced"},
    new=_NEW,
    unsaid={"num_heads": ""},
    shown=_check_positions,
  ),
  CheckpointFormat(
    name="huggingface_vjepa2",
    origin="huggingface/transformers, VJEPA2ForVideoClassification",
    rules=lambda network: transformers_classifier(),
    takes=_is_probed,
    marks=(rf"vjepa2\.{_PATCHES}", r"pooler\.query_tokens"),
    skip={r"vjepa2\.predictor\..+": _PREDICTOR},
    unsaid=image_towers.AS_IN_CONFIG,
  ),
  CheckpointFormat(
    name="huggingface_vjepa2_model",
    origin="huggingface/transformers, VJEPA2Model",
    rules=lambda network: under(transformers_encoder(), "", "encoder"),
    takes=takes,
    marks=(_PATCHES, r"encoder\.layer\.0\.attention\.query\.weight"),
    skip={r"predictor\..+": _PREDICTOR},
    new=_NEW,
    unsaid=image_towers.AS_IN_CONFIG,
  ),
)
