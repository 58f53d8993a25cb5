"""Rules of Francis-Rings/ILA."""

from convert_weights.checkpoint_format import SKIP, CheckpointFormat, Refusal
from convert_weights.formats import clip, slots, xclip
from convert_weights.rules import (
  Rule,
  batch_norm,
  conv2d,
  conv3d_temporal,
  layer_norm,
  linear,
  under,
)
from temporal_jax.layers import LearnableAlignment
from temporal_jax.models.network import Network


def video_text(kind: str) -> list[Rule]:
  """Rules of `VideoTextModel` with head "text", from an `XCLIP`."""
  return xclip.video_text(block(kind))


def video_classifier(kind: str) -> list[Rule]:
  """Rules of `VideoTextModel` with head "linear", the text tower left out."""
  return [
    *xclip.video(block(kind)),
    *under(direction_classifier(), "classifier", "mit"),
  ]


def block(kind: str) -> list[Rule]:
  """Rules of `TransformerBlock` with `LearnableAlignment` of that kind."""
  return [
    *under(alignment(kind), "attention_branch", ""),
    *clip.transformer_block(),
  ]


def alignment(kind: str) -> list[Rule]:
  """Rules of `LearnableAlignment` of that kind."""
  return [
    *linear("message", "message_fc"),
    *layer_norm("message_norm", "message_ln"),
    *under(pair_alignment(kind), "pairs", "message_attn"),
    *linear("from_aligned", "temporal_skip_align_fc"),
    *linear("from_interactive", "temporal_skip_fc"),
  ]


def pair_alignment(kind: str) -> list[Rule]:
  """Rules of `PairAlignment` of that kind."""
  return [
    *under(_interaction(kind), "interaction", "interactive_block"),
    *under(_prediction(), "prediction", "prediction_block"),
    *conv3d_temporal("temporal", "conv", bias=True),
    *linear("expand", "fc"),
  ]


def _interaction(kind: str) -> list[Rule]:
  if kind == "dense":
    return [
      *conv2d("conv1", "0", bias=True),
      *batch_norm("norm1", "1"),
      *conv2d("conv2", "3", bias=True),
      *batch_norm("norm2", "4"),
    ]
  depthwise = "0.depthwise_conv"
  return [
    Rule("params/depthwise/kernel", (f"{depthwise}.0.weight",), "c 1 h w -> h w c"),
    Rule("params/depthwise/bias", (f"{depthwise}.0.bias",), "c -> c"),
    *batch_norm("depthwise_norm", f"{depthwise}.1"),
    *conv2d("conv1", "0.pointwise_conv.0", bias=True),
    *batch_norm("norm1", "0.pointwise_conv.1"),
    *conv2d("conv2", "1", bias=True),
    *batch_norm("norm2", "2"),
  ]


def _prediction() -> list[Rule]:
  return [
    *conv2d("conv1", "0", bias=True),
    *batch_norm("norm1", "1"),
    *conv2d("conv2", "4", bias=True),
    *batch_norm("norm2", "5"),
    *_grouped("hidden", "10"),
    *_grouped("points", "12"),
  ]


def _grouped(leaf: str, tensor: str) -> list[Rule]:
  """Rules of a torch `Conv1d` of one tap, in groups."""
  return [
    Rule(f"params/{leaf}/kernel", (f"{tensor}.weight",), "(g o) i 1 -> g i o"),
    Rule(f"params/{leaf}/bias", (f"{tensor}.bias",), "(g o) -> g o"),
  ]


def direction_classifier() -> list[Rule]:
  """Rules of `DirectionClassifier`, whose tensors are in `mit`."""
  return [
    *layer_norm("norm", "classify_head.0"),
    *linear("head", "classify_head.2"),
  ]


def _rules(network: Network) -> list[Rule]:
  kind = slots.filling(network, "attention_branch").kind
  if network.head == "text":
    return video_text(kind)
  return video_classifier(kind)


def _takes(network: Network) -> bool:
  return xclip.is_whole(network) and isinstance(
    slots.filling(network, "attention_branch"), LearnableAlignment
  )


FORMATS: tuple[CheckpointFormat, ...] = (
  CheckpointFormat(
    name="ila",
    origin="Francis-Rings/ILA",
    rules=_rules,
    takes=_takes,
    marks=(r"visual\.transformer\.resblocks\.0\.temporal_skip_fc\.weight",),
    skip={**SKIP, **xclip.TEXT},
    fixed=("activation",),
    counted=xclip.COUNTED,
    refusals=(
      Refusal(
        "the head classifies (mit.classify_head, as in its form for "
        "Something-Something): --set head=linear, and unless the interactive "
        "blocks are depthwise --set temporal=alignment_dense.",
        has=r"mit\.classify_head\..+",
      ),
      Refusal(
        "the interactive blocks are dense, as in its form for "
        "Something-Something: --set temporal=alignment_dense.",
        has=r".+\.message_attn\.interactive_block\.0\.weight",
      ),
    ),
    forms=(
      {"temporal": "alignment_dense"},
      {"head": "linear"},
      {"head": "linear", "temporal": "alignment_dense"},
    ),
  ),
)
