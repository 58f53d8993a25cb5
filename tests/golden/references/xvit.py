"""X-ViT's attention, block and temporal head."""

import functools

from convert_weights.formats import xvit
from temporal_jax import layers, ops
from temporal_jax.models import Temporal, create_model
from temporal_jax.models.backbones.vision_transformer import VisionTransformer
from temporal_jax.models.blocks.temporal_attention import TemporalAttentionAggregation
from temporal_jax.models.blocks.transformer import TransformerBlock
from tests.golden.reference import Reference, first

_BLOCKS = "slowfast/models/transformers/transformer_block.py"
_TOKENS = {"x": "n t l c", "out": "n t l c"}


def _segments(constructor):
  return {"t": constructor["n_segment"]}


def _mixing(constructor):
  if not constructor["shift"]:
    return None
  return functools.partial(layers.TemporalShift, fold_div=constructor["n_div"])


def _block(constructor):
  return TransformerBlock(
    constructor["num_heads"],
    mlp_ratio=constructor["mlp_ratio"],
    activation=ops.gelu,
    epsilon=constructor["ln_eps"],
    temporal=Temporal(keys_values=_mixing(constructor)),
  )


def _vision_transformer(constructor):
  shifted = set(constructor["shift_locations"])
  shift = functools.partial(layers.TemporalShift, fold_div=constructor["n_div"])
  return VisionTransformer(
    constructor["num_classes"],
    constructor["patch_size"],
    constructor["embed_dim"],
    constructor["depth"],
    constructor["num_heads"],
    grid=224 // constructor["patch_size"],
    num_temporal_positions=constructor["num_frames"],
    longer_clips="repeat",
    temporal=Temporal(keys_values=shift, where=lambda stage, block: block in shifted),
  )


def _has_attention(constructor):
  return constructor.get("consensus", "vit") == "vit"


def _network(constructor):
  """X-ViT, of which the case tells what is not as published."""
  return create_model(
    "xvit_b16",
    num_classes=constructor.get("classes", 400),
    head="attention" if _has_attention(constructor) else "average",
    temporal=Temporal(
      keys_values=functools.partial(
        layers.TemporalShift,
        fold_div=constructor.get("div", 8),
        segment=constructor["n_segment"],
      )
    ),
  )


def _name_results(out):
  logits, aux = out
  return {"logits": logits, "frame_features": aux["frame_features"]}


REFERENCES = {
  (_BLOCKS, "Attention"): Reference(
    build=lambda c: layers.SelfAttention(
      c["num_heads"], c["qkv_bias"], keys_values=_mixing(c)
    ),
    axes=_TOKENS,
    rules=lambda c: xvit.attention(),
    sizes=_segments,
  ),
  (_BLOCKS, "Block"): Reference(
    build=_block,
    axes=_TOKENS,
    rules=lambda c: xvit.transformer_block(),
    sizes=_segments,
    name_outputs=first,
  ),
  ("slowfast/models/head_helper.py", "VitHead"): Reference(
    build=lambda c: TemporalAttentionAggregation(
      c["heads"],
      c["num_classes"],
      num_blocks=c["layers"],
      hidden=c["mlp_dim"],
    ),
    axes={"x": "n t c", "out": "n classes"},
    rules=lambda c: xvit.temporal_attention(),
    name_outputs=first,
  ),
  ("slowfast/models/transformers/vit.py", "VisionTransformer"): Reference(
    build=_vision_transformer,
    axes={"x": "n t h w c", "out": "n t classes"},
    rules=lambda c: xvit.vision_transformer(),
    sizes=lambda c: {"t": c["num_frames"]},
    name_outputs=lambda out: {"out": out[1]["frame_logits"]},
  ),
  ("slowfast/models/video_model_builder.py", "XVIT"): Reference(
    build=_network,
    axes={
      "x": "n t h w c",
      "logits": "n classes",
      "frame_features": "n t c",
    },
    rules=lambda c: xvit.network(attention=_has_attention(c)),
    sizes=lambda c: {"t": c["frames"]},
    skip=tuple(xvit.UNUSED),
    name_outputs=_name_results,
  ),
}
