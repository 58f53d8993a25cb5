"""Image towers of CLIP and EVA-02-CLIP, with ATM in them."""

import functools

from convert_weights.formats import atm, clip, eva
from temporal_jax import ops
from temporal_jax.models import TransformerBlock, VisionTransformer
from temporal_jax.models.catalog.openai_clip_sizes import CLIP_FORM
from temporal_jax.models.operators import arithmetic
from tests.golden.arguments import UnsupportedError
from tests.golden.reference import Reference

_AXES = {
  "x": "n t h w c",
  "features": "n t d",
  "cls_ln_post": "n t c",
  "cls_norm": "n t c",
  "mean_features": "n d",
}


def _segments(constructor):
  return {"t": constructor["n_segment"]}


def _temporal(constructor, *others):
  mixing = constructor.only("tsm", None, "tokent1d", *others)
  return arithmetic(*constructor["atm_locations"], class_token=mixing == "tokent1d")


def _clip(constructor):
  # `make_tokenshift` sets an attribute that the blocks do not call: such a
  # network is the one without.
  temporal = _temporal(constructor, "tokenshift")
  return VisionTransformer(
    None,
    patch_size=constructor["patch_size"],
    width=constructor["width"],
    depth=constructor["layers"],
    num_heads=constructor["heads"],
    projection=constructor["output_dim"],
    grid=constructor["input_resolution"] // constructor["patch_size"],
    temporal=temporal,
    **CLIP_FORM,
  )


def _eva(constructor):
  c = constructor
  if c.get("use_mean_pooling", True):
    raise UnsupportedError("use_mean_pooling=True")
  for name in ("init_values", "postnorm"):
    c.only(name, None, False, 0)
  if c["subln"] and not c["naiveswiglu"]:
    raise UnsupportedError("subln=True with naiveswiglu=False")
  extent, interpolated = c["pt_hw_seq_len"], c["intp_freq"]
  grid = c["img_size"] // c["patch_size"]
  rotary = functools.partial(
    ops.rotary_embedding, extent=extent if interpolated else grid
  )
  block = functools.partial(
    TransformerBlock,
    mlp_ratio=c["mlp_ratio"],
    qkv_bias=c["qkv_bias"],
    key_bias=False,
    gated=c["naiveswiglu"],
    inner_norm=c["subln"],
    rotary=rotary if c["rope"] else None,
  )
  return VisionTransformer(
    None,
    patch_size=c["patch_size"],
    width=c["embed_dim"],
    depth=c["depth"],
    num_heads=c["num_heads"],
    epsilon=c["norm_eps"],
    projection=c["num_classes"],
    projection_bias=True,
    grid=grid,
    block=block,
    temporal=_temporal(c),
  )


def _eva_rules(constructor):
  block = eva.transformer_block(
    inner_norm=constructor["subln"], gated=constructor["naiveswiglu"]
  )
  return eva.vision_transformer([*block, *atm.slots()])


def _name_outputs(out):
  features, aux = out
  return {
    "features": aux["frame_features"],
    "cls_ln_post": aux["class_tokens"],
    "cls_norm": aux["class_tokens"],
    "mean_features": features,
  }


REFERENCES = {
  ("clip/model.py", "VisualTransformer + make_ATM"): Reference(
    build=_clip,
    axes=_AXES,
    rules=lambda c: clip.vision_transformer([*clip.transformer_block(), *atm.slots()]),
    sizes=_segments,
    name_outputs=_name_outputs,
  ),
  ("eva_clip/eva_vit_model.py", "EVAVisionTransformer + make_ATM"): Reference(
    build=_eva,
    axes=_AXES,
    rules=_eva_rules,
    sizes=_segments,
    name_outputs=_name_outputs,
  ),
}
