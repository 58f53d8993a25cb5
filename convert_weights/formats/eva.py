"""Rules of the image tower of EVA-02-CLIP, as in whwu95/ATM."""

from collections.abc import Sequence

from convert_weights.checkpoint_format import CheckpointFormat
from convert_weights.formats import image_towers
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
  mlp = under(_gated(), "mlp", "mlp")
  if not gated:
    mlp = [*linear("mlp/expand", "mlp.fc1"), *linear("mlp/contract", "mlp.fc2")]
  return [
    *layer_norm("norm1", "norm1"),
    *under(_attention(inner_norm), "attention", "attn"),
    *layer_norm("norm2", "norm2"),
    *mlp,
  ]


def _attention(inner_norm: bool) -> list[Rule]:
  """Rules of `SelfAttention` without a bias of the keys."""
  names, pattern = ("qkv.weight",), "(three m d) i -> i three m d"
  if inner_norm:
    names = ("q_proj.weight", "k_proj.weight", "v_proj.weight")
    pattern = "three (m d) i -> i three m d"
  biases = ("q_bias", "v_bias")
  return [
    Rule("params/qkv/kernel", names, pattern),
    Rule("params/query_value_bias", biases, "two (m d) -> two m d"),
    *layer_norm("norm", "inner_attn_ln"),
    Rule("params/out/kernel", ("proj.weight",), "o (m d) -> m d o"),
    Rule("params/out/bias", ("proj.bias",), "c -> c"),
  ]


def _gated() -> list[Rule]:
  """Rules of `SwiGlu`."""
  return [
    *linear("gate", "w1"),
    *linear("expand", "w2"),
    *layer_norm("norm", "ffn_ln"),
    *linear("contract", "w3"),
  ]


def vision_transformer(block: Sequence[Rule] = ()) -> list[Rule]:
  """Rules of `VisionTransformer` from an `EVAVisionTransformer`.

  Args:
    block: Rules of a block; `transformer_block` by default.
  """
  block = block or transformer_block()
  return [
    Rule("params/class_token", ("cls_token",), "1 1 c -> c"),
    Rule("params/position_embedding", ("pos_embed",), "1 n c -> n c"),
    *conv2d("patch_embedding", "patch_embed.proj", bias=True),
    *under(block, "block{i}", "blocks.{i-1}"),
    *layer_norm("norm", "norm"),
    *linear("projection", "head"),
  ]


def _rules(network: Network) -> list[Rule]:
  """Rules of the tower as it is released, with the texts', or by itself."""
  del network
  tower = image_towers.from_images(vision_transformer())
  return [*under(tower, "", "visual"), *tower]


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
      **dict.fromkeys(UNUSED, "rotary positions, which are computed"),
      r"text\..+": "the text tower; the network reads no texts",
      "logit_scale": "the factor of similarities; the network has none",
    },
    new={**image_towers.NEW, **image_towers.HEAD},
  ),
)
