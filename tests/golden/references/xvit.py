"""X-ViT's attention, block and temporal head."""

import functools

from convert_weights.formats import timm, xvit
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
    constructor.ignore("n_div")
    return None
  return functools.partial(layers.TemporalShift, fold_div=constructor["n_div"])


def _attention(constructor):
  constructor.ignore("dim")
  _check_dropout(constructor)
  return layers.SelfAttention(
    constructor["num_heads"],
    constructor["qkv_bias"],
    scale=constructor.get("qk_scale"),
    keys_values=_mixing(constructor),
  )


def _check_dropout(constructor):
  for name in ("attn_drop", "proj_drop", "drop", "drop_path"):
    constructor.only(name, 0.0)


def _block(constructor):
  constructor.ignore("dim")
  _check_dropout(constructor)
  constructor.only("qk_scale", None)
  return TransformerBlock(
    constructor["num_heads"],
    mlp_ratio=constructor["mlp_ratio"],
    qkv_bias=constructor.get("qkv_bias", True),
    activation=ops.gelu,
    epsilon=constructor["ln_eps"],
    temporal=Temporal(keys_values=_mixing(constructor)),
  )


def _head(constructor):
  constructor.ignore("embed_dim")
  return TemporalAttentionAggregation(
    constructor["heads"],
    constructor["num_classes"],
    num_blocks=constructor["layers"],
    hidden=constructor["mlp_dim"],
  )


def _vision_transformer(constructor):
  constructor.ignore("img_size")  # The input's.
  shifted = set(constructor["shift_locations"])
  shift = functools.partial(layers.TemporalShift, fold_div=constructor["n_div"])
  return VisionTransformer(
    constructor["num_classes"],
    constructor["patch_size"],
    constructor["embed_dim"],
    constructor["depth"],
    constructor["num_heads"],
    grid=224 // constructor["patch_size"],
    representation=constructor.get("representation_size") or None,
    num_temporal_positions=constructor["num_frames"],
    longer_clips="repeat",
    temporal=Temporal(keys_values=shift, where=lambda stage, block: block in shifted),
  )


def _vision_transformer_rules(constructor):
  del constructor
  rules = xvit.vision_transformer()
  known = {rule.leaf for rule in rules}
  return [*rules, *(r for r in timm.vision_transformer() if r.leaf not in known)]


def _has_attention(constructor):
  return constructor.only("consensus", "vit", "avg") == "vit"


def _network(constructor):
  """X-ViT, of which the case tells what is not as published."""
  constructor.ignore("img")  # The input's size.
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
    build=_attention,
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
    build=_head,
    axes={"x": "n t c", "out": "n classes"},
    rules=lambda c: xvit.temporal_attention(),
    name_outputs=first,
  ),
  ("slowfast/models/transformers/vit.py", "VisionTransformer"): Reference(
    build=_vision_transformer,
    axes={"x": "n t h w c", "out": "n t classes"},
    rules=_vision_transformer_rules,
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
