"""Image towers of CLIP and EVA-02-CLIP over frames, and ATM on them.

ATM's own classifiers stand on the average of the frames' projected features,
which is the average of the logits of the frames.
"""

import functools
from collections.abc import Mapping
from types import MappingProxyType

from temporal_jax.models.backbones.vision_transformer import VisionTransformer
from temporal_jax.models.blocks.transformer import TransformerBlock
from temporal_jax.models.catalog import entry
from temporal_jax.models.catalog.entry import ModelSpec
from temporal_jax.models.catalog.openai_clip_sizes import CLIP_FORM, SIZES, side

EVA_BLOCK = functools.partial(
  TransformerBlock,
  mlp_ratio=2.6667,
  key_bias=False,
  gated=True,
  inner_norm=True,
  rotary_extent=16,  # The grid of pre-training.
)
_EVA = "arXiv:2303.15389; baaivision/EVA"
_CLIP = "arXiv:2103.00020; openai/CLIP"
_ATM = "arXiv:2307.08908; whwu95/ATM"
_IN21K = "arXiv:2010.11929; jx_vit_base_patch16_224_in21k of timm"
_IN21K_FORM = {"patch_size": 16, "grid": 14, "representation": 768}


def _row(
  kwargs: Mapping, source: str, temporal: str = "none", pixels=entry.CLIP
) -> ModelSpec:
  clip_shape = (8, side(kwargs), side(kwargs))
  return entry.row(VisionTransformer, kwargs, temporal, clip_shape, pixels, source)


def _clip(size: str, source: str, temporal: str = "none") -> ModelSpec:
  return _row({**CLIP_FORM, **SIZES[size]}, source, temporal)


def _eva(size: str, source: str, temporal: str = "none") -> ModelSpec:
  form = {"projection_bias": True, "block": EVA_BLOCK}
  return _row({**form, **SIZES[size]}, source, temporal)


ROWS: Mapping[str, ModelSpec] = MappingProxyType(
  {
    **{f"vit_{size}": _clip(size, _CLIP) for size in SIZES},
    "vit_b16_in21k": _row(_IN21K_FORM, _IN21K, pixels=entry.HALF),
    "eva_b16": _eva("b16", _EVA),
    "eva_l14": _eva("l14", _EVA),
    "eva_l14_336": _eva("l14_336", _EVA),
    "atm_vit_b16": _clip("b16", _ATM, "arithmetic"),
    "atm_vit_l14": _clip("l14", _ATM, "arithmetic"),
    "atm_vit_l14_336": _clip("l14_336", _ATM, "arithmetic"),
    "atm_eva_l14": _eva("l14", _ATM, "arithmetic"),
    "atm_eva_l14_336": _eva("l14_336", _ATM, "arithmetic"),
  }
)
