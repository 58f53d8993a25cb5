"""TAdaFormer as a whole."""

import functools

import flax.linen as nn

from convert_weights.formats import tada
from temporal_jax import layers, models, ops
from tests.golden.reference import Reference
from tests.golden.references.tada_settings import head, ignore_settings


def _backbone(constructor):
  return constructor["VIDEO"]["BACKBONE"]


def _network(constructor):
  ignore_settings(constructor)
  num_classes, dropout = head(constructor, "BaseHead")
  backbone = _backbone(constructor)
  backbone["BRANCH"].only("NAME", "TAdaFormerBlock")
  backbone["STEM"].ignore("NAME")
  backbone.only("ATTN_DROPOUT", 0.0)
  backbone.only("ATTN_MASK_ENABLE", False)
  unused = ("KERNEL_SIZE", "DOWNSAMPLING", "DOWNSAMPLING_TEMPORAL", "NUM_FILTERS")
  backbone.ignore(*unused, "EXPANSION_RATIO", "FREEZE")
  projection = constructor["VIDEO"]["HEAD"]["OUTPUT_DIM"]
  if not backbone["REQUIRE_PROJ"]:
    constructor["VIDEO"]["HEAD"].ignore("OUTPUT_DIM")
    projection = None
  branch = functools.partial(
    layers.AdaptiveBranch,
    reduction=backbone["REDUCTION"],
    ratio=backbone["BRANCH"]["ROUTE_FUNC_R"],
    route_taps=tuple(backbone["BRANCH"]["ROUTE_FUNC_K"]),
    temporal_projection=backbone["TEMP_ENHANCE"],
  )
  return models.VisionTransformer(
    num_classes,
    patch_size=backbone["PATCH_SIZE"],
    width=backbone["NUM_FEATURES"],
    depth=backbone["DEPTH"],
    num_heads=backbone["NUM_HEADS"],
    activation=ops.quick_gelu,
    epsilon=1e-5,
    patch_bias=False,
    pre_norm=True,
    projection=projection,
    tubelet=(backbone["TUBLET_SIZE"], backbone["TUBLET_STRIDE"]),
    grid=backbone["INPUT_RES"] // backbone["PATCH_SIZE"],
    average_first=True,
    head_dropout=dropout,
    drop_path=backbone["DROP_PATH"],
    temporal=models.Temporal(
      attention_branch=branch,
      mlp_branch=branch if backbone["DOUBLE_TADA"] else None,
    ),
  )


def _rules(constructor):
  backbone = _backbone(constructor)
  return tada.vision_transformer(
    tubelet=backbone["TUBLET_SIZE"],
    temporal_projection=backbone["TEMP_ENHANCE"],
  )


def _name_outputs(out):
  logits, aux = out
  return {
    "logits": logits,
    "probabilities": nn.softmax(logits),
    "pooled": aux["features"],
  }


_CLASSES = "n classes"
REFERENCES = {
  (
    "tadaconv/models/base/models.py",
    "BaseVideoModel(VisionTransformer)",
  ): Reference(
    build=_network,
    axes={
      "x": "n t h w c",
      "logits": _CLASSES,
      "probabilities": _CLASSES,
      "pooled": "n c",
    },
    rules=_rules,
    name_outputs=_name_outputs,
  ),
}
