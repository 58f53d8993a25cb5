"""Rules of X-CLIP, in microsoft/VideoX; ILA names most of it alike."""

from collections.abc import Sequence

from convert_weights.checkpoint_format import CheckpointFormat
from convert_weights.formats import clip, slots
from convert_weights.rules import Rule, layer_norm, linear, under
from temporal_jax.layers import CrossFrameMessage
from temporal_jax.models.backbones.video_text import VideoTextModel
from temporal_jax.models.network import Network

_UNREAD = "of the texts, which the linear head does not read"
# Arguments of a network with head "text" that one with head "linear" does not
# read; as many blocks on the texts as CLIP has.
TEXT = {
  r"(positional_embedding|text_projection|logit_scale)": _UNREAD,
  r"(token_embedding|ln_final)\.(weight|bias)": _UNREAD,
  r"transformer\.resblocks\.(\d|1[01])\..+": _UNREAD,
  r"prompts_(visual_proj|visual_ln\..+|generator\..+)": _UNREAD,
}

# Numbers of blocks that the authors' code takes as arguments: mit_layers and
# prompts_layers, 1 and 2 in published weights.
COUNTED = {
  "integration_depth": r"mit\.resblocks\.(\d+)\..+",
  "prompt_depth": r"prompts_generator\.decoder\.(\d+)\..+",
}


def block() -> list[Rule]:
  """Rules of `TransformerBlock` with `CrossFrameMessage` in `block_input`."""
  message = [
    *linear("message", "message_fc"),
    *layer_norm("norm", "message_ln"),
    *clip.attention("attention", "message_attn"),
  ]
  return [*under(message, "block_input", ""), *clip.transformer_block()]


def video_text(blocks: Sequence[Rule]) -> list[Rule]:
  """Rules of `VideoTextModel` with head "text" from an `XCLIP`.

  Args:
    blocks: Rules of a block on the frames.
  """
  return [
    *video(blocks),
    *under(clip.text_transformer(), "text", ""),
    *layer_norm("prompt_norm", "prompts_visual_ln"),
    Rule("params/prompt_projection/kernel", ("prompts_visual_proj",), "i o -> i o"),
    *under(prompt(), "prompt", "prompts_generator"),
    Rule("params/log_scale", ("logit_scale",), "->"),
  ]


def video(blocks: Sequence[Rule]) -> list[Rule]:
  """Rules of the part of `VideoTextModel` that sees the clip."""
  return [
    *under(clip.vision_transformer(blocks), "visual", "visual"),
    *under(frame_integration(), "integration", "mit"),
  ]


def frame_integration() -> list[Rule]:
  """Rules of `MultiframeIntegration`."""
  return [
    Rule("params/position", ("positional_embedding",), "1 t d -> t d"),
    *under(clip.transformer_block(), "block{i}", "resblocks.{i-1}"),
  ]


def prompt(norm: str = "norm") -> list[Rule]:
  """Rules of `VideoSpecificPrompt`.

  Args:
    norm: Name of the norm of the video.
  """
  return [
    *layer_norm("norm", norm),
    *under(_prompt_layer(), "layer{i}", "decoder.{i-1}"),
    Rule("params/scale/scale", ("alpha",), "c -> c"),
  ]


def _prompt_layer() -> list[Rule]:
  projections = [
    Rule(
      f"params/attention/{ours}/kernel",
      (f"cross_attn.{theirs}.weight",),
      "(m d) i -> i m d",
    )
    for ours, theirs in (
      ("query", "q_proj"),
      ("key", "k_proj"),
      ("value", "v_proj"),
    )
  ]
  out = "cross_attn.proj"
  return [
    *layer_norm("norm1", "norm1"),
    *projections,
    Rule("params/attention/out/kernel", (f"{out}.weight",), "o (m d) -> m d o"),
    Rule("params/attention/out/bias", (f"{out}.bias",), "c -> c"),
    *layer_norm("norm2", "norm3"),
    *linear("mlp/expand", "mlp.0"),
    *linear("mlp/contract", "mlp.3"),
  ]


def is_whole(network: Network) -> bool:
  """Whether a network has all parts of an `XCLIP`, and patches of one frame."""
  if not isinstance(network, VideoTextModel) or max(network.tubelet) > 1:
    return False
  is_prompted = network.head == "linear" or network.prompt_depth > 0
  return is_prompted and network.integration_depth > 0


def takes(network: Network) -> bool:
  """Returns whether a network is an `XCLIP`, with messages between frames."""
  return (
    is_whole(network)
    and network.head == "text"
    and isinstance(slots.filling(network, "block_input"), CrossFrameMessage)
  )


FORMATS: tuple[CheckpointFormat, ...] = (
  CheckpointFormat(
    name="xclip",
    origin="microsoft/VideoX",
    rules=lambda network: video_text(block()),
    takes=takes,
    marks=(
      r"visual\.transformer\.resblocks\.0\.message_attn\.in_proj_weight",
      r"prompts_visual_proj",
    ),
    fixed=("activation",),
    counted=COUNTED,
  ),
)
