"""Rules of CLIP, as huggingface/transformers names it."""

from collections.abc import Sequence

from convert_weights.checkpoint_format import CheckpointFormat, Refusal
from convert_weights.formats import image_towers
from convert_weights.rules import Rule, conv2d, layer_norm, linear, under
from temporal_jax.models.network import Network

# Names of queries, keys and values.
PROJECTIONS = ("q_proj", "k_proj", "v_proj")


def attention(names: Sequence[str], out: str) -> list[Rule]:
  """Rules of `SelfAttention` whose projections are apart.

  Args:
    names: Names of queries, keys and values.
    out: Name of the last projection.
  """
  weights, biases = (
    tuple(f"{name}.{kind}" for name in names) for kind in ("weight", "bias")
  )
  return [
    Rule("params/qkv/kernel", weights, "three (m d) i -> i three m d"),
    Rule("params/qkv/bias", biases, "three (m d) -> three m d"),
    Rule("params/out/kernel", (f"{out}.weight",), "o (m d) -> m d o"),
    Rule("params/out/bias", (f"{out}.bias",), "c -> c"),
  ]


def transformer_block() -> list[Rule]:
  """Rules of `TransformerBlock` from a `CLIPEncoderLayer`."""
  return [
    *layer_norm("norm1", "layer_norm1"),
    *under(attention(PROJECTIONS, "out_proj"), "attention", "self_attn"),
    *layer_norm("norm2", "layer_norm2"),
    *linear("mlp/expand", "mlp.fc1"),
    *linear("mlp/contract", "mlp.fc2"),
  ]


def vision_transformer(
  block: Sequence[Rule] = (), *, pre_norm: str = "pre_layrnorm"
) -> list[Rule]:
  """Rules of `VisionTransformer` with a projection.

  Args:
    block: Rules of a block; `transformer_block` by default.
    pre_norm: Name of the norm in front of the blocks.
  """
  tower = vision_model(block or transformer_block(), pre_norm)
  projection = linear("projection", "visual_projection", bias=False)
  return [*under(tower, "", "vision_model"), *projection]


def vision_model(block: Sequence[Rule], pre_norm: str = "pre_layrnorm") -> list[Rule]:
  """Rules of `VisionTransformer`, unprojected, from a `CLIPVisionModel`.

  Args:
    block: Rules of a block.
    pre_norm: Name of the norm in front of the blocks.
  """
  return [
    Rule("params/class_token", ("embeddings.class_embedding",), "c -> c"),
    *_positions(),
    *conv2d("patch_embedding", "embeddings.patch_embedding"),
    *layer_norm("pre_norm", pre_norm),
    *under(block, "block{i}", "encoder.layers.{i-1}"),
    *layer_norm("norm", "post_layernorm"),
  ]


def text_transformer() -> list[Rule]:
  """Rules of `TextTransformer`."""
  tower = [
    Rule(
      "params/token_embedding/embedding",
      ("embeddings.token_embedding.weight",),
      "v c -> v c",
    ),
    *_positions(),
    *under(transformer_block(), "block{i}", "encoder.layers.{i-1}"),
    *layer_norm("norm", "final_layer_norm"),
  ]
  projection = linear("projection", "text_projection", bias=False)
  return [*under(tower, "", "text_model"), *projection]


def _positions() -> list[Rule]:
  name = "embeddings.position_embedding.weight"
  return [Rule("params/position_embedding", (name,), "n c -> n c")]


def _rules(network: Network) -> list[Rule]:
  return image_towers.clip_rules(
    network, vision_transformer(), text_transformer(), "logit_scale"
  )


def _vision_rules(network: Network) -> list[Rule]:
  """Rules of a `CLIPVisionModel` by itself."""
  del network
  return image_towers.from_images(vision_model(transformer_block()))


_POSITIONS = "numbers in a row"
_UNSAID = {
  "activation": (
    "It is hidden_act of the config.json that belongs to the file: "
    "OpenAI's weights need quick_gelu, laion's --set activation=gelu."
  ),
  "epsilon": "",
  "num_heads": "",
}

FORMATS: tuple[CheckpointFormat, ...] = (
  CheckpointFormat(
    name="huggingface_clip",
    origin="huggingface/transformers, CLIPModel, CLIPVisionModelWithProjection",
    rules=_rules,
    takes=image_towers.is_clip,
    marks=(
      r"vision_model\.embeddings\.class_embedding",
      r"vision_model\.pre_layrnorm\.weight",
    ),
    skip={
      r"(vision|text)_model\.embeddings\.position_ids": _POSITIONS,
      r"text_model\..+|text_projection\.weight": (
        "the text tower, where the network reads no texts"
      ),
      "logit_scale": "the factor of similarities, where the network has none",
      r"visual_projection\.weight": "the projection, where there is none",
    },
    new={**image_towers.NEW, **image_towers.HEAD, **image_towers.VIDEO_TEXT},
    unsaid={**_UNSAID, "text_heads": ""},
    shown=image_towers.without("projection", "visual_projection.weight"),
    refusals=(
      Refusal(
        "CLIPForImageClassification classifies the average of the patches; the "
        "networks here read the class token.",
        has=r"classifier\.weight",
      ),
    ),
  ),
  # A source of its own: from release 5 its names have no prefix in memory.
  CheckpointFormat(
    name="huggingface_clip_vision",
    origin="huggingface/transformers, CLIPVisionModel",
    rules=_vision_rules,
    takes=image_towers.is_clip_tower,
    marks=(r"embeddings\.class_embedding", r"pre_layrnorm\.weight"),
    skip={r"embeddings\.position_ids": _POSITIONS},
    new={**image_towers.NEW, **image_towers.HEAD},
    unsaid=_UNSAID,
    shown=image_towers.without("projection"),
  ),
)
