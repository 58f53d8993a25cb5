"""Rules of the image tower of EVA-02-CLIP, as its authors and timm name it."""

from collections.abc import Sequence

from convert_weights.checkpoint_format import CheckpointFormat
from convert_weights.formats import image_towers, timm
from convert_weights.rules import Rule, conv2d, layer_norm, linear, under
from temporal_jax.models.network import Network

# Tables of the rotary positions, which ours computes.
UNUSED = (r"(.*\.)?rope\.freqs_(cos|sin)",)


def transformer_block(*, inner_norm: bool = True, gated: bool = True) -> list[Rule]:
  """Rules of `TransformerBlock` from a `Block`.

  Args:
    inner_norm: Whether the source has inner norms; queries, keys and values
      are then apart.
    gated: Whether its MLP is a `SwiGLU`.
  """
  mlp = under(_gated("w1", "w2", "ffn_ln", "w3"), "mlp", "mlp")
  if not gated:
    mlp = [*linear("mlp/expand", "mlp.fc1"), *linear("mlp/contract", "mlp.fc2")]
  attention = _attention(inner_norm, biases=("q_bias", "v_bias"), norm="inner_attn_ln")
  return [*_attending(attention), *mlp]


def timm_block() -> list[Rule]:
  """Rules of `TransformerBlock` from a timm `EvaBlock` with inner norms."""
  attention = _attention(True, biases=("q_proj.bias", "v_proj.bias"), norm="norm")
  mlp = _gated("fc1_g", "fc1_x", "norm", "fc2")
  return [*_attending(attention), *under(mlp, "mlp", "mlp")]


def _attending(attention: Sequence[Rule]) -> list[Rule]:
  """Rules of a block without its MLP."""
  return [
    *layer_norm("norm1", "norm1"),
    *under(attention, "attention", "attn"),
    *layer_norm("norm2", "norm2"),
  ]


def _attention(inner_norm: bool, *, biases: tuple[str, str], norm: str) -> list[Rule]:
  """Rules of `SelfAttention` without a bias of the keys.

  Args:
    inner_norm: See `transformer_block`.
    biases: Names of the biases of queries and of values.
    norm: Name of the inner norm.
  """
  names, pattern = ("qkv.weight",), "(three m d) i -> i three m d"
  if inner_norm:
    names = ("q_proj.weight", "k_proj.weight", "v_proj.weight")
    pattern = "three (m d) i -> i three m d"
  return [
    Rule("params/qkv/kernel", names, pattern),
    Rule("params/query_value_bias", biases, "two (m d) -> two m d"),
    *layer_norm("norm", norm),
    Rule("params/out/kernel", ("proj.weight",), "o (m d) -> m d o"),
    Rule("params/out/bias", ("proj.bias",), "c -> c"),
  ]


def _gated(gate: str, expand: str, norm: str, contract: str) -> list[Rule]:
  """Rules of `SwiGlu`, by the names of its parts."""
  return [
    *linear("gate", gate),
    *linear("expand", expand),
    *layer_norm("norm", norm),
    *linear("contract", contract),
  ]


def vision_transformer(block: Sequence[Rule] = ()) -> list[Rule]:
  """Rules of `VisionTransformer` from an `EVAVisionTransformer`.

  Args:
    block: Rules of a block; `transformer_block` by default.
  """
  return [*_tower(block or transformer_block()), *linear("projection", "head")]


def _tower(block: Sequence[Rule]) -> list[Rule]:
  """Rules of `VisionTransformer` without its last layer."""
  return [
    Rule("params/class_token", ("cls_token",), "1 1 c -> c"),
    Rule("params/position_embedding", ("pos_embed",), "1 n c -> n c"),
    *conv2d("patch_embedding", "patch_embed.proj", bias=True),
    *under(block, "block{i}", "blocks.{i-1}"),
    *layer_norm("norm", "norm"),
  ]


def _rules(network: Network) -> list[Rule]:
  """Rules of the tower as it is released, with the texts', or by itself."""
  del network
  tower = image_towers.from_images(vision_transformer())
  return [*under(tower, "", "visual"), *tower]


def _timm_rules(network: Network) -> list[Rule]:
  tower = image_towers.from_images(_tower(timm_block()))
  return [*tower, *timm.last_layer(network)]


_COMPUTED = "rotary positions, which are computed"

FORMATS: tuple[CheckpointFormat, ...] = (
  CheckpointFormat(
    name="eva02_clip",
    origin="baaivision/EVA, EVA-CLIP",
    rules=_rules,
    takes=image_towers.is_eva,
    marks=(
      r"(visual\.)?blocks\.0\.attn\.q_bias",
      r"(visual\.)?blocks\.0\.attn\.inner_attn_ln\.weight",
    ),
    skip={
      **dict.fromkeys(UNUSED, _COMPUTED),
      r"text\..+": "the text tower; the network reads no texts",
      "logit_scale": "the factor of similarities; the network has none",
    },
    new={**image_towers.NEW, **image_towers.HEAD},
  ),
  CheckpointFormat(
    name="timm_eva02_clip",
    origin="huggingface/pytorch-image-models, EVA-02-CLIP; open_clip's visual.trunk",
    rules=_timm_rules,
    takes=image_towers.is_eva,
    marks=(
      r"blocks\.0\.attn\.q_proj\.bias",
      r"blocks\.0\.attn\.norm\.weight",
      r"blocks\.0\.mlp\.fc1_g\.weight",
    ),
    skip={r"rope\..+": _COMPUTED},
    new={**image_towers.NEW, **image_towers.HEAD},
    shown=timm.shown_by_head,
  ),
)
