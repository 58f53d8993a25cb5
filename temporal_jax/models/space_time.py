"""Rows of the catalog: vision transformers that see space and time.

Each is the class's arguments, the operator in its slots, the clip (T, H, W),
pixel mean and standard deviation, and the source.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from temporal_jax import ops

_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_CLIP = (
  (0.48145466, 0.4578275, 0.40821073),
  (0.26862954, 0.26130258, 0.27577711),
)
_HALF = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))

# The form of CLIP's image towers.
_CLIP_FORM = {
  "pre_norm": True,
  "patch_bias": False,
  "activation": ops.quick_gelu,
  "epsilon": 1e-5,
}
_B32 = {**_CLIP_FORM, "patch_size": 32, "grid": 7, "projection": 512}
_L14 = {
  "patch_size": 14,
  "grid": 16,
  "width": 1024,
  "depth": 24,
  "num_heads": 16,
}
# Two frames a token; its head is one layer on the average of class tokens.
_TADAFORMER = {
  **_CLIP_FORM,
  "tubelet": (3, 2),
  "average_first": True,
  "head_dropout": 0.5,
}

_XVIT = "arXiv:2106.05968; 1adrianb/video-transformers"
_TSM_VIT = "arXiv:2106.05968, supplement, equations 1 to 3; no public code"
_TADA = "arXiv:2308.05787; alibaba-mmai-research/TAdaConv"
_SPATIAL = "arXiv:2102.05095, equation 6; facebookresearch/TimeSformer"
_JOINT = "arXiv:2102.05095, equation 5; facebookresearch/TimeSformer"
_DIVIDED = "arXiv:2102.05095, section 3; facebookresearch/TimeSformer"
_ATA = "arXiv:2210.00132"


def _row(kwargs: dict, temporal: str, frames: int, pixels: tuple, source: str):
  return MappingProxyType(kwargs), temporal, (frames, 224, 224), *pixels, source


def _pattern(temporal: str, source: str):
  """Returns the row of an attention pattern, as compared in ILA, table 2."""
  positions = {} if temporal == "none" else {"num_temporal_positions": 8}
  return _row({**_B32, **positions}, temporal, 8, _IMAGENET, source)


# X-ViT has eight temporal positions whatever its frames: sixteen repeat them.
# The weights of Kinetics mix within eight frames (operator "mixing_eight"),
# those of SSv2 among all, and a quarter of the channels with either neighbour
# ("mixing_quarter"). TAdaFormer for SSv2 has two branches a block, each behind
# a temporal projection ("adaptive_branches").
ROWS: Mapping[str, tuple[Any, ...]] = MappingProxyType(
  {
    "xvit_b16": _row(
      {"num_temporal_positions": 8, "head": "attention", "head_dropout": 0.5},
      *("mixing", 16, _HALF, _XVIT),
    ),
    "tsm_vit_b16": _row({}, "stream_shift", 16, _HALF, _TSM_VIT),
    "tadaformer_b16": _row(_TADAFORMER, "adaptive_branch", 16, _CLIP, _TADA),
    "tadaformer_l14": _row(
      {**_TADAFORMER, **_L14}, "adaptive_branch", 16, _CLIP, _TADA
    ),
    "vit_b32_spatial": _pattern("none", _SPATIAL),
    "vit_b32_joint": _pattern("joint", _JOINT),
    "vit_b32_divided": _pattern("divided", _DIVIDED),
    "vit_b32_ata": _pattern("aligned", _ATA),
  }
)
