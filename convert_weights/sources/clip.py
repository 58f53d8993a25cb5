"""Rules of CLIP's transformer, as openai/CLIP and its descendants name it."""

from collections.abc import Sequence

from convert_weights.rules import Rule, conv2d, layer_norm, linear, under


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

  Queries, keys and values lie behind one another in one tensor.
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
    block: Rules of a block; by default those of `transformer_block`.
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
  """Rules of `TextTransformer`, which lies in CLIP without a prefix."""
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
