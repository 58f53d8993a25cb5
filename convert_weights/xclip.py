"""Rules of X-CLIP, in microsoft/VideoX."""

from convert_weights import clip
from convert_weights.rules import Rule, layer_norm, linear, under


def block() -> list[Rule]:
  """Rules of `TransformerBlock` with `CrossFrameMessage` in `block_input`."""
  message = [
    *linear("message", "message_fc"),
    *layer_norm("norm", "message_ln"),
    *clip.attention("attention", "message_attn"),
  ]
  return [*under(message, "block_input", ""), *clip.transformer_block()]
