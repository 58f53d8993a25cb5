"""Vision transformers that see space and time."""

from collections.abc import Mapping
from types import MappingProxyType

from temporal_jax.models.backbones.vision_transformer import VisionTransformer
from temporal_jax.models.catalog import entry
from temporal_jax.models.catalog.entry import ModelSpec
from temporal_jax.models.catalog.openai_clip_sizes import CLIP_FORM, SIZES

# Two frames a token; its head is one layer on the average of class tokens.
_TADAFORMER = {
  **CLIP_FORM,
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


def _row(
  kwargs: Mapping, temporal: str, frames: int, pixels: entry.Pixels, source: str
) -> ModelSpec:
  clip_shape = (frames, 224, 224)
  return entry.row(VisionTransformer, kwargs, temporal, clip_shape, pixels, source)


def _pattern(temporal: str, source: str) -> ModelSpec:
  """Returns the row of an attention pattern, as compared in ILA, table 2."""
  positions = {} if temporal == "none" else {"num_temporal_positions": 8}
  return _row(
    {**CLIP_FORM, **SIZES["b32"], **positions},
    temporal,
    8,
    entry.IMAGENET,
    source,
  )


# X-ViT has eight temporal positions whatever its frames: sixteen repeat them.
_XVIT_FORM = {
  "num_temporal_positions": 8,
  "longer_clips": "repeat",
  "head": "attention",
  "head_dropout": 0.5,
}


# X-ViT's three rows have the same parameters and mix keys and values unlike:
# the paper's an eighth of the channels with either neighbour, the configs of
# Kinetics-400 and -600 the same within halves of eight frames (SHIFT_DIV 8,
# NUM_SEGMENTS 8), that of SSv2 a quarter among all frames (4, 16). TAdaFormer
# for SSv2 has two branches a block, each with a temporal projection
# ("adaptive_branches").
ROWS: Mapping[str, ModelSpec] = MappingProxyType(
  {
    "xvit_b16": _row(_XVIT_FORM, "mixing", 16, entry.HALF, _XVIT),
    "xvit_b16_kinetics": _row(_XVIT_FORM, "mixing_eight", 16, entry.HALF, _XVIT),
    "xvit_b16_ssv2": _row(_XVIT_FORM, "mixing_quarter", 16, entry.HALF, _XVIT),
    "tsm_vit_b16": _row({}, "stream_shift", 16, entry.HALF, _TSM_VIT),
    "tadaformer_b16": _row(_TADAFORMER, "adaptive_branch", 16, entry.CLIP, _TADA),
    "tadaformer_l14": _row(
      {**_TADAFORMER, **SIZES["l14"], "projection": None},
      "adaptive_branch",
      16,
      entry.CLIP,
      _TADA,
    ),
    "vit_b32_spatial": _pattern("none", _SPATIAL),
    "vit_b32_joint": _pattern("joint", _JOINT),
    "vit_b32_divided": _pattern("divided", _DIVIDED),
    "vit_b32_ata": _pattern("aligned", _ATA),
  }
)
