"""Rows of the catalog: image towers of CLIP and EVA-02-CLIP, and ATM on them.

Each is the class's arguments, the operator in its slots, the clip (T, H, W),
pixel mean and standard deviation, and the source. A clip may have any number
of frames.
"""

import functools
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from temporal_jax import ops
from temporal_jax.models.transformer import TransformerBlock

_PIXELS = (
  (0.48145466, 0.4578275, 0.40821073),
  (0.26862954, 0.26130258, 0.27577711),
)
_HALF = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))

CLIP_FORM = MappingProxyType(
  {
    "activation": ops.quick_gelu,
    "epsilon": 1e-5,
    "patch_bias": False,
    "pre_norm": True,
  }
)
EVA_BLOCK = functools.partial(
  TransformerBlock,
  mlp_ratio=2.6667,
  key_bias=False,
  gated=True,
  inner_norm=True,
  rotary_extent=16,  # The grid of pre-training.
)
_BASE = {"width": 768, "depth": 12, "num_heads": 12, "projection": 512}
_LARGE = {"width": 1024, "depth": 24, "num_heads": 16, "projection": 768}
_B32 = {**CLIP_FORM, **_BASE, "patch_size": 32, "grid": 7}
_B16 = {**CLIP_FORM, **_BASE, "patch_size": 16, "grid": 14}
_L14 = {**CLIP_FORM, **_LARGE, "patch_size": 14, "grid": 16}
_EVA_L14 = {
  **_LARGE,
  "patch_size": 14,
  "grid": 16,
  "projection_bias": True,
  "block": EVA_BLOCK,
}
_CLIP = "arXiv:2103.00020; openai/CLIP"
_EVA = "arXiv:2303.15389; baaivision/EVA"
_ATM = "arXiv:2307.08908; whwu95/ATM"
_IN21K = "arXiv:2010.11929; jx_vit_base_patch16_224_in21k of timm"


def _row(kwargs: dict, source: str, temporal: str = "none", pixels=_PIXELS):
  """Returns a row; the clip's side is that of the learned positions."""
  side = kwargs["patch_size"] * kwargs["grid"]
  clip_shape = (8, side, side)
  return MappingProxyType(kwargs), temporal, clip_shape, *pixels, source


def _at_336(kwargs: dict) -> dict:
  return {**kwargs, "grid": 24}


# ATM's own classifiers stand on the average of the frames' projected features,
# which is the average of the logits of the frames.
ROWS: Mapping[str, tuple[Any, ...]] = MappingProxyType(
  {
    "vit_b32": _row(_B32, _CLIP),
    "vit_b16": _row(_B16, _CLIP),
    "vit_l14": _row(_L14, _CLIP),
    "vit_l14_336": _row(_at_336(_L14), _CLIP),
    "vit_b16_in21k": _row(
      {"patch_size": 16, "grid": 14, "representation": 768},
      _IN21K,
      pixels=_HALF,
    ),
    "eva_l14": _row(_EVA_L14, _EVA),
    "eva_l14_336": _row(_at_336(_EVA_L14), _EVA),
    "atm_vit_b16": _row(_B16, _ATM, "arithmetic_12"),
    "atm_vit_l14": _row(_L14, _ATM, "arithmetic_24"),
    "atm_vit_l14_336": _row(_at_336(_L14), _ATM, "arithmetic_24"),
    "atm_eva_l14": _row(_EVA_L14, _ATM, "arithmetic_24"),
    "atm_eva_l14_336": _row(_at_336(_EVA_L14), _ATM, "arithmetic_24"),
  }
)
