"""Rules of CLIP's transformer, as openai/CLIP and its descendants name it."""

from collections.abc import Sequence

from convert_weights.checkpoint_format import SKIP, CheckpointFormat
from convert_weights.formats import image_towers
from convert_weights.rules import Rule, conv2d, layer_norm, linear, under
from temporal_jax.models.network import Network


def transformer_block() -> list[Rule]:
  """Rules of `TransformerBlock` from a `ResidualAttentionBlock`."""
  return [
    *layer_norm("norm1", "ln_1"),
    *attention("attention", "attn"),
    *layer_norm("norm2", "ln_2"),
    *linear("mlp/expand", "mlp.c_fc"),
    *linear("mlp/contract", "mlp.c_proj"),
  ]


def attention(leaf: str, tensor: str) -> list[Rule]:
  """Rules of `SelfAttention` from a torch `MultiheadAttention`.

  Queries, keys and values are concatenated in one tensor.
  """
  return [
    Rule(
      f"params/{leaf}/qkv/kernel",
      (f"{tensor}.in_proj_weight",),
      "(three m d) i -> i three m d",
    ),
    Rule(
      f"params/{leaf}/qkv/bias",
      (f"{tensor}.in_proj_bias",),
      "(three m d) -> three m d",
    ),
    Rule(
      f"params/{leaf}/out/kernel",
      (f"{tensor}.out_proj.weight",),
      "o (m d) -> m d o",
    ),
    Rule(f"params/{leaf}/out/bias", (f"{tensor}.out_proj.bias",), "c -> c"),
  ]


def vision_transformer(block: Sequence[Rule] = ()) -> list[Rule]:
  """Rules of `VisionTransformer` with a projection, as CLIP's `visual`.

  Args:
    block: Rules of a block; `transformer_block` by default.
  """
  block = block or transformer_block()
  return [
    Rule("params/class_token", ("class_embedding",), "c -> c"),
    Rule("params/position_embedding", ("positional_embedding",), "n c -> n c"),
    *conv2d("patch_embedding", "conv1"),
    *layer_norm("pre_norm", "ln_pre"),
    *under(block, "block{i}", "transformer.resblocks.{i-1}"),
    *layer_norm("norm", "ln_post"),
    Rule("params/projection/kernel", ("proj",), "i o -> i o"),
  ]


def text_transformer() -> list[Rule]:
  """Rules of `TextTransformer`, whose tensors have no prefix in CLIP."""
  return [
    Rule(
      "params/token_embedding/embedding",
      ("token_embedding.weight",),
      "v c -> v c",
    ),
    Rule("params/position_embedding", ("positional_embedding",), "n c -> n c"),
    *under(transformer_block(), "block{i}", "transformer.resblocks.{i-1}"),
    *layer_norm("norm", "ln_final"),
    Rule("params/projection/kernel", ("text_projection",), "i o -> i o"),
  ]


def _rules(network: Network) -> list[Rule]:
  """Rules of the image tower, or of both where the network has a text tower.

  mlfoundations/open_clip puts its other text towers under "text".
  """
  text = text_transformer()
  return image_towers.clip_rules(
    network,
    under(vision_transformer(), "", "visual"),
    [*text, *under(text, "", "text")],
    "logit_scale",
  )


def _visual_rules(network: Network) -> list[Rule]:
  """Rules of the image tower where it is saved by itself."""
  return image_towers.clip_rules(network, vision_transformer(), [], "logit_scale")


_TEXT = (
  r"(text\.)?(positional_embedding|text_projection|attn_mask"
  r"|(token_embedding|transformer|ln_final)\..+)"
)
_NO_WEIGHTS = {
  "input_resolution|context_length|vocab_size": "a size of the network",
}
_NO_PROJECTION = "the projection, where the network has none"
_SKIP = {
  **_NO_WEIGHTS,
  _TEXT: "the text tower, where the network reads no texts",
  "logit_scale": "the factor of similarities, where the network has none",
  r"visual\.proj": _NO_PROJECTION,
}
_UNSAID = {
  "activation": (
    "OpenAI's weights need quick_gelu; open_clip's (LAION, DataComp, ...) "
    "need --set activation=gelu, unless the name of their model ends in "
    "-quickgelu."
  ),
  "num_heads": "",
}

FORMATS: tuple[CheckpointFormat, ...] = (
  CheckpointFormat(
    name="openai_clip",
    origin="openai/CLIP, mlfoundations/open_clip",
    rules=_rules,
    takes=image_towers.is_clip,
    marks=(r"visual\.class_embedding", r"visual\.conv1\.weight"),
    skip=_SKIP,
    new={**image_towers.NEW, **image_towers.HEAD, **image_towers.VIDEO_TEXT},
    unsaid={**_UNSAID, "text_heads": ""},
  ),
  # A source of its own: CLIP's text tower has the same names as its blocks.
  CheckpointFormat(
    name="openai_clip_visual",
    origin="openai/CLIP, its image tower saved without 'visual.'",
    rules=_visual_rules,
    takes=image_towers.is_clip_image,
    marks=("class_embedding", r"conv1\.weight", r"transformer\.resblocks\.0\..+"),
    skip={**SKIP, "proj": _NO_PROJECTION},
    new={**image_towers.NEW, **image_towers.HEAD, **image_towers.VIDEO_TEXT},
    unsaid=_UNSAID,
  ),
  # No network here has its attention pooling: it is known to be refused.
  CheckpointFormat(
    name="openai_clip_resnet",
    supported=False,
    origin="openai/CLIP, its ResNets, which no network of this library is",
    rules=lambda network: [],
    takes=lambda network: False,
    marks=(r"visual\.attnpool\.c_proj\.weight", r"visual\.conv1\.weight"),
    skip={
      **_NO_WEIGHTS,
      r"visual\..+": "a ResNet with attention pooling, no network of ours",
      f"{_TEXT}|logit_scale": "the texts' side of that ResNet",
    },
  ),
)
