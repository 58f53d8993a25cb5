"""Rules of CLIP's transformer, as openai/CLIP and its descendants name it."""

from convert_weights.rules import Rule, layer_norm, linear


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
