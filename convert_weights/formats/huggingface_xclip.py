"""Rules of X-CLIP, as huggingface/transformers names it."""

from convert_weights.checkpoint_format import CheckpointFormat
from convert_weights.formats import huggingface_clip as clip, xclip
from convert_weights.rules import Rule, layer_norm, linear, under
from temporal_jax.models.network import Network


def block() -> list[Rule]:
  """Rules of `TransformerBlock` from an `XCLIPVisionEncoderLayer`."""
  message = [
    *linear("message", "message_fc"),
    *layer_norm("norm", "message_ln"),
    *under(clip.attention(clip.PROJECTIONS, "out_proj"), "attention", "message_attn"),
  ]
  return [*under(message, "block_input", ""), *clip.transformer_block()]


def frame_integration() -> list[Rule]:
  """Rules of `MultiframeIntegration`."""
  return [
    Rule("params/position", ("position_embedding",), "1 t d -> t d"),
    *under(clip.transformer_block(), "block{i}", "encoder.layers.{i-1}"),
  ]


def video_text() -> list[Rule]:
  """Rules of `VideoTextModel` with head "text" from an `XCLIPModel`."""
  projection = "prompts_visual_projection"
  tower = clip.vision_transformer(block(), pre_norm="pre_layernorm")
  return [
    *under(tower, "visual", ""),
    *under(clip.text_transformer(), "text", ""),
    *under(frame_integration(), "integration", "mit"),
    *layer_norm("prompt_norm", "prompts_visual_layernorm"),
    Rule("params/prompt_projection/kernel", (projection,), "i o -> i o"),
    *under(xclip.prompt("layernorm"), "prompt", "prompts_generator"),
    Rule("params/log_scale", ("logit_scale",), "->"),
  ]


def _rules(network: Network) -> list[Rule]:
  del network
  return video_text()


FORMATS: tuple[CheckpointFormat, ...] = (
  CheckpointFormat(
    name="huggingface_xclip",
    origin="huggingface/transformers, XCLIPModel",
    rules=_rules,
    takes=xclip.takes,
    marks=(
      r"vision_model\.encoder\.layers\.0\.message_fc\.weight",
      r"prompts_visual_projection",
    ),
    skip={r"(vision|text)_model\.embeddings\.position_ids": "numbers in a row"},
    # The configuration may state other heads.
    unsaid={"num_heads": "", "text_heads": ""},
    fixed=("activation",),
    counted={
      "integration_depth": r"mit\.encoder\.layers\.(\d+)\..+",
      "prompt_depth": xclip.COUNTED["prompt_depth"],
    },
  ),
)
