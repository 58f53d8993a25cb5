"""Rules of DINOv2, in its authors' names and in those of transformers."""

from convert_weights.checkpoint_format import CheckpointFormat
from convert_weights.formats import image_towers, xvit
from convert_weights.formats.huggingface_clip import attention
from convert_weights.rules import Picks, Rule, conv2d, layer_norm, linear, under
from temporal_jax.models.network import Network


def swiglu(first: str, last: str) -> list[Rule]:
  """Rules of `SwiGlu` whose first two layers are the halves of one.

  Args:
    first: Name of that one, the gate first.
    last: Name of the last layer.
  """
  rules = linear("contract", last)
  for index, layer in enumerate(("gate", "expand")):
    half = Picks((index,), 2)
    rules += [
      Rule(
        f"params/{layer}/kernel",
        (f"{first}.weight",),
        "(half o) i -> half i o",
        picks=half,
      ),
      Rule(
        f"params/{layer}/bias", (f"{first}.bias",), "(half o) -> half o", picks=half
      ),
    ]
  return rules


def layer_scales(names: tuple[str, str]) -> list[Rule]:
  """Rules of the factors of attention and MLP, from the names of both."""
  return [
    Rule(f"params/layer_scale{i}/scale", (name,), "c -> c")
    for i, name in enumerate(names, 1)
  ]


def transformer_block() -> list[Rule]:
  """Rules of `TransformerBlock` from the authors' `Block`."""
  return [
    *xvit.transformer_block(),
    *under(swiglu("w12", "w3"), "mlp", "mlp"),
    *layer_scales(("ls1.gamma", "ls2.gamma")),
  ]


def vision_transformer() -> list[Rule]:
  """Rules of `VisionTransformer` from a `DinoVisionTransformer`."""
  return [
    Rule("params/class_token", ("cls_token",), "1 1 c -> c"),
    Rule("params/position_embedding", ("pos_embed",), "1 n c -> n c"),
    Rule("params/registers", ("register_tokens",), "1 r c -> r c"),
    *conv2d("patch_embedding", "patch_embed.proj", bias=True),
    *under(transformer_block(), "block{i}", "blocks.{i-1}"),
    *layer_norm("norm", "norm"),
  ]


def huggingface_block() -> list[Rule]:
  """Rules of `TransformerBlock` from a `Dinov2Layer`.

  The first are the names in published files, the second those in memory from
  release 5 on.
  """
  inner = ("attention.query", "attention.key", "attention.value")
  return [
    *layer_norm("norm1", "norm1"),
    *under(attention(inner, "output.dense"), "attention", "attention"),
    *under(
      attention(("q_proj", "k_proj", "v_proj"), "o_proj"), "attention", "attention"
    ),
    *layer_norm("norm2", "norm2"),
    *linear("mlp/expand", "mlp.fc1"),
    *linear("mlp/contract", "mlp.fc2"),
    *under(swiglu("weights_in", "weights_out"), "mlp", "mlp"),
    *linear("mlp/gate", "mlp.gate_proj"),
    *linear("mlp/expand", "mlp.up_proj"),
    *linear("mlp/contract", "mlp.down_proj"),
    *layer_scales(("layer_scale1.lambda1", "layer_scale2.lambda1")),
  ]


def huggingface_transformer() -> list[Rule]:
  """Rules of `VisionTransformer` from a `Dinov2Model`, or with registers."""
  tokens = "embeddings.register_tokens"
  positions = "embeddings.position_embeddings"
  return [
    Rule("params/class_token", ("embeddings.cls_token",), "1 1 c -> c"),
    Rule("params/position_embedding", (positions,), "1 n c -> n c"),
    Rule("params/registers", (tokens,), "1 r c -> r c"),
    *conv2d("patch_embedding", "embeddings.patch_embeddings.projection", bias=True),
    *under(huggingface_block(), "block{i}", "encoder.layer.{i-1}"),
    *layer_norm("norm", "layernorm"),
  ]


def fitting_mlp(rules: list[Rule], *, gated: bool) -> list[Rule]:
  """Returns the rules of networks whose MLP is gated, or is not.

  Both kinds have layers of one name.
  """
  return [
    rule
    for rule in rules
    if "/mlp/" not in rule.leaf or (".fc" in rule.tensors[0]) != gated
  ]


def _from_images(rules: list[Rule], network: Network) -> list[Rule]:
  """Rules of a tower of any grid."""
  gated = bool(image_towers.block_argument(network, "gated"))
  rules = fitting_mlp(rules, gated=gated)
  return image_towers.from_images(rules, antialias=network.antialias)


def _classifier(network: Network) -> list[Rule]:
  """Rules of a classifier, which reads class token and mean of the patches."""
  tower = _from_images(huggingface_transformer(), network)
  prefixes = ("dinov2", "dinov2_with_registers")
  if network.num_registers:
    prefixes = prefixes[::-1]
  head = linear("head", "classifier") if network.pooling == "class_and_mean" else []
  return [*(r for prefix in prefixes for r in under(tower, "", prefix)), *head]


_MASK = "the token of masked patches"
_LINEAR = (
  "the classifier of images reads class token and mean of the patches, as networks "
  "with --set pooling=class_and_mean do"
)
_PREFIX = "(dinov2|dinov2_with_registers)"

FORMATS: tuple[CheckpointFormat, ...] = (
  CheckpointFormat(
    name="dinov2",
    origin="facebookresearch/dinov2",
    rules=lambda network: _from_images(vision_transformer(), network),
    takes=image_towers.is_dinov2,
    marks=("cls_token", "mask_token", "pos_embed", r"blocks\.0\.ls1\.gamma"),
    skip={"mask_token": _MASK},
    new={**image_towers.NEW, **image_towers.HEAD},
  ),
  CheckpointFormat(
    name="huggingface_dinov2",
    origin="huggingface/transformers, Dinov2Model, Dinov2WithRegistersModel",
    rules=lambda network: _from_images(huggingface_transformer(), network),
    takes=image_towers.is_dinov2,
    marks=(
      r"embeddings\.cls_token",
      r"embeddings\.position_embeddings",
      r"encoder\.layer\.0\.layer_scale1\.lambda1",
    ),
    skip={r"embeddings\.mask_token": _MASK},
    new={**image_towers.NEW, **image_towers.HEAD},
    unsaid=image_towers.AS_IN_CONFIG,
  ),
  CheckpointFormat(
    name="huggingface_dinov2_classifier",
    origin="huggingface/transformers, Dinov2ForImageClassification",
    rules=_classifier,
    takes=image_towers.is_dinov2,
    marks=(
      rf"{_PREFIX}\.embeddings\.cls_token",
      rf"{_PREFIX}\.encoder\.layer\.0\.layer_scale1\.lambda1",
    ),
    skip={
      rf"{_PREFIX}\.embeddings\.mask_token": _MASK,
      r"classifier\.(weight|bias)": _LINEAR,
    },
    new={**image_towers.NEW, "params/head/.+": _LINEAR},
    unsaid=image_towers.AS_IN_CONFIG,
    forms=({"pooling": "class_and_mean"},),
  ),
)
