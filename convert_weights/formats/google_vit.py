"""Rules of google-research/vision_transformer, whose .npz files are Flax's."""

from convert_weights.checkpoint_format import CheckpointFormat
from convert_weights.formats import image_towers
from convert_weights.rules import Rule
from temporal_jax.models.network import Network


def transformer_block(
  block: str = "Transformer/encoderblock_{i-1}",
  *,
  norms: tuple[str, str] = ("LayerNorm_0", "LayerNorm_2"),
  attention: str = "MultiHeadDotProductAttention_1",
  mlp: str = "MlpBlock_3",
) -> list[Rule]:
  """Rules of `TransformerBlock` from an `Encoder1DBlock`.

  Args:
    block: Name of the block.
    norms: Names of its norms.
    attention: Name of its attention.
    mlp: Name of its MLP.
  """
  inside = f"{block}/{attention}"
  names = ("query", "key", "value")
  kernels, biases = (
    tuple(f"{inside}/{name}/{kind}" for name in names) for kind in ("kernel", "bias")
  )
  leaf = "params/block{i}/attention"
  return [
    *layer_norm("block{i}/norm1", f"{block}/{norms[0]}"),
    Rule(f"{leaf}/qkv/kernel", kernels, "three i m d -> i three m d"),
    Rule(f"{leaf}/qkv/bias", biases, "three m d -> three m d"),
    Rule(f"{leaf}/out/kernel", (f"{inside}/out/kernel",), "m d o -> m d o"),
    Rule(f"{leaf}/out/bias", (f"{inside}/out/bias",), "c -> c"),
    *layer_norm("block{i}/norm2", f"{block}/{norms[1]}"),
    *dense("block{i}/mlp/expand", f"{block}/{mlp}/Dense_0"),
    *dense("block{i}/mlp/contract", f"{block}/{mlp}/Dense_1"),
  ]


def vision_transformer() -> list[Rule]:
  """Rules of `VisionTransformer`, with the layer before the classes."""
  positions = "Transformer/posembed_input/pos_embedding"
  return [
    Rule("params/class_token", ("cls",), "1 1 c -> c"),
    Rule("params/position_embedding", (positions,), "1 n c -> n c"),
    Rule(
      "params/patch_embedding/kernel",
      ("embedding/kernel",),
      "h w i o -> h w i o",
    ),
    Rule("params/patch_embedding/bias", ("embedding/bias",), "c -> c"),
    *transformer_block(),
    *layer_norm("norm", "Transformer/encoder_norm"),
    *dense("representation", "pre_logits"),
  ]


def dense(leaf: str, name: str) -> list[Rule]:
  """Rules of a Flax `Dense`."""
  return [
    Rule(f"params/{leaf}/kernel", (f"{name}/kernel",), "i o -> i o"),
    Rule(f"params/{leaf}/bias", (f"{name}/bias",), "c -> c"),
  ]


def layer_norm(leaf: str, name: str) -> list[Rule]:
  """Rules of a Flax `LayerNorm`."""
  return [
    Rule(f"params/{leaf}/{kind}", (f"{name}/{kind}",), "c -> c")
    for kind in ("scale", "bias")
  ]


def _rules(network: Network) -> list[Rule]:
  return image_towers.classified(
    network, vision_transformer(), dense("head", "head"), "pre_logits/kernel"
  )


FORMATS: tuple[CheckpointFormat, ...] = (
  CheckpointFormat(
    name="google_vit",
    origin="google-research/vision_transformer",
    rules=_rules,
    takes=image_towers.is_plain,
    marks=("cls", "Transformer/encoder_norm/scale", "embedding/kernel"),
    skip={"(head|pre_logits)/(kernel|bias)": image_towers.UNCLASSIFIED},
    new={**image_towers.NEW, **image_towers.OTHER_HEADS},
    shown=image_towers.without(
      "representation", "pre_logits/kernel", "pre_logits/bias"
    ),
  ),
)
