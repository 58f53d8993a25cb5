"""Rules of google-research/vision_transformer, whose .npz files are Flax's."""

from convert_weights.checkpoint_format import CheckpointFormat
from convert_weights.formats import image_towers
from convert_weights.rules import Rule
from temporal_jax.models.network import Network

_BLOCK = "Transformer/encoderblock_{i-1}"


def transformer_block() -> list[Rule]:
  """Rules of `TransformerBlock` from an `Encoder1DBlock`."""
  inside = f"{_BLOCK}/MultiHeadDotProductAttention_1"
  names = ("query", "key", "value")
  kernels, biases = (
    tuple(f"{inside}/{name}/{kind}" for name in names) for kind in ("kernel", "bias")
  )
  attention = "params/block{i}/attention"
  return [
    *_layer_norm("block{i}/norm1", f"{_BLOCK}/LayerNorm_0"),
    Rule(f"{attention}/qkv/kernel", kernels, "three i m d -> i three m d"),
    Rule(f"{attention}/qkv/bias", biases, "three m d -> three m d"),
    Rule(f"{attention}/out/kernel", (f"{inside}/out/kernel",), "m d o -> m d o"),
    Rule(f"{attention}/out/bias", (f"{inside}/out/bias",), "c -> c"),
    *_layer_norm("block{i}/norm2", f"{_BLOCK}/LayerNorm_2"),
    *_dense("block{i}/mlp/expand", f"{_BLOCK}/MlpBlock_3/Dense_0"),
    *_dense("block{i}/mlp/contract", f"{_BLOCK}/MlpBlock_3/Dense_1"),
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
    *_layer_norm("norm", "Transformer/encoder_norm"),
    *_dense("representation", "pre_logits"),
  ]


def _dense(leaf: str, name: str) -> list[Rule]:
  return [
    Rule(f"params/{leaf}/kernel", (f"{name}/kernel",), "i o -> i o"),
    Rule(f"params/{leaf}/bias", (f"{name}/bias",), "c -> c"),
  ]


def _layer_norm(leaf: str, name: str) -> list[Rule]:
  return [
    Rule(f"params/{leaf}/{kind}", (f"{name}/{kind}",), "c -> c")
    for kind in ("scale", "bias")
  ]


def _rules(network: Network) -> list[Rule]:
  return image_towers.classified(
    network, vision_transformer(), _dense("head", "head"), "pre_logits/kernel"
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
  ),
)
