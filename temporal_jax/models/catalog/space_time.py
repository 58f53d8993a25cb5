"""Vision transformers that see space and time."""

import functools
from collections.abc import Mapping

from temporal_jax.models.backbones.vision_transformer import VisionTransformer
from temporal_jax.models.catalog import accuracy_tables as tables, entry
from temporal_jax.models.catalog.entry import Entry, ReferenceCost
from temporal_jax.models.catalog.openai_clip_sizes import B32, CLIP_FORM, L14

# X-ViT has eight temporal positions whatever its frames: sixteen repeat them.
_xvit = functools.partial(
  Entry,
  module=VisionTransformer,
  kwargs={
    "num_temporal_positions": 8,
    "longer_clips": "repeat",
    "head": "attention",
    "head_dropout": 0.5,
  },
  clip_shape=(16, 224, 224),
  pixels=entry.HALF,
  paper="arXiv:2106.05968",
  repository="1adrianb/video-transformers",
)
_XVIT_WEIGHTS = "https://github.com/1adrianb/video-transformers"
_TADA_WEIGHTS = (
  "https://github.com/alibaba-mmai-research/TAdaConv/blob/main/MODEL_ZOO.md"
)
_tadaformer = functools.partial(
  Entry,
  module=VisionTransformer,
  temporal="adaptive_branch",
  clip_shape=(16, 224, 224),
  pixels=entry.CLIP,
  paper="arXiv:2308.05787",
  repository="alibaba-mmai-research/TAdaConv",
)
# Two frames per token; its head is one layer on the average of class tokens.
_TADAFORMER_IMAGENET = {
  "tubelet": (3, 2),
  "average_first": True,
  "head_dropout": 0.5,
}
_TADAFORMER = {**CLIP_FORM, **_TADAFORMER_IMAGENET}
# Patterns of attention in a CLIP tower, as table 2 of ILA's supplement compares
# them.
_pattern = functools.partial(
  Entry,
  module=VisionTransformer,
  clip_shape=(8, 224, 224),
  pixels=entry.IMAGENET,
)
_timesformer = functools.partial(_pattern, repository="facebookresearch/TimeSformer")
_B32 = {**CLIP_FORM, **B32}
_B32_OVER_TIME = {**_B32, "num_temporal_positions": 8}

# X-ViT's three entries have the same parameters and mix keys and values in
# different ways: the paper's an eighth of the channels with either neighbour,
# the configs of Kinetics-400 and -600 the same within halves of eight frames
# (SHIFT_DIV 8, NUM_SEGMENTS 8), the config of SSv2 a quarter among all frames
# (4, 16). TAdaFormer for SSv2 has two branches per block, each with a temporal
# projection ("adaptive_branches").
ENTRIES: Mapping[str, Entry] = {
  "xvit_b16": _xvit(
    temporal="mixing",
    # Without the authors' second classifier, which nothing reads.
    reference_cost=ReferenceCost(
      params=94_098_464 - 769 * 400,
      gmacs=140.569,
      clip_shape=(8, 224, 224),
      paper="283 at 16 frames (table 5): ours is 281.1 there",
    ),
    accuracies=tables.TADA_7.row(80.2, start="ImageNet-21k", frames=16, views=(1, 3)),
  ),
  "xvit_b16_kinetics": _xvit(temporal="mixing_eight", weights=_XVIT_WEIGHTS),
  "xvit_b16_ssv2": _xvit(
    temporal="mixing_quarter",
    weights=_XVIT_WEIGHTS,
    accuracies=tables.TADA_9.row(None, 67.2, frames=16, views=(1, 3)),
  ),
  "tsm_vit_b16": Entry(
    module=VisionTransformer,
    kwargs={},
    temporal="residual_shift",
    clip_shape=(16, 224, 224),
    pixels=entry.HALF,
    paper="arXiv:2106.05968, supplement, equations 1 to 3",
    repository="no public code",
    accuracies=(*tables.XVIT_2.row(60.8),),
  ),
  "tadaformer_b16": _tadaformer(
    weights=_TADA_WEIGHTS,
    kwargs=_TADAFORMER,
    reference_cost=ReferenceCost(
      params=104_195_728,
      gmacs=153.596,
      clip_shape=(16, 224, 224),
      paper="104.1 M; 153 (table 8)",
    ),
    accuracies=(
      *tables.TADA_8.row(84.5, start="CLIP", frames=16, views=(4, 3)),
      *tables.TADA_8.row(86.6, start="CLIP, K710", frames=16, views=(4, 3)),
      *tables.TADA_9.row(59.2, 70.4, start="CLIP", frames=16, views=(2, 3)),
      *tables.TADA_9.row(61.2, 71.3, start="CLIP", frames=32, views=(2, 3)),
      *tables.TADA_6.row(None, 70.5, start="CLIP, K710"),
    ),
  ),
  # In the form of ViTs that are trained on ImageNet (table 6).
  "tadaformer_b16_imagenet": _tadaformer(
    kwargs=_TADAFORMER_IMAGENET,
    pixels=entry.HALF,
    accuracies=(
      *tables.TADA_6.row(76.3, 63.9, start="ImageNet-1k"),
      *tables.TADA_6.row(81.8, 67.5, start="ImageNet-21k"),
    ),
  ),
  "tadaformer_l14": _tadaformer(
    weights=_TADA_WEIGHTS,
    kwargs={**_TADAFORMER, **L14, "projection": None},
    reference_cost=ReferenceCost(
      params=364_827_024,
      gmacs=702.606,
      clip_shape=(16, 224, 224),
      paper="364 M; 703 (table 8)",
    ),
    accuracies=(
      *tables.TADA_8.row(87.6, start="CLIP", frames=16, views=(4, 3)),
      *tables.TADA_8.row(88.9, start="CLIP, K710", frames=16, views=(4, 3)),
      *tables.TADA_8.row(89.5, start="CLIP, K710", frames=32, views=(4, 3)),
      *tables.TADA_8.row(89.9, start="CLIP, K710", frames=64, views=(4, 3)),
      *tables.TADA_9.row(62.0, 72.4, start="CLIP", frames=16, views=(2, 3)),
      *tables.TADA_9.row(63.7, 73.6, start="CLIP", frames=32, views=(2, 3)),
    ),
  ),
  "vit_b32_spatial": _timesformer(
    kwargs=_B32,
    paper="arXiv:2102.05095, equation 6",
    accuracies=(*tables.ILA_2.row(79.8),),
  ),
  "vit_b32_joint": _timesformer(
    kwargs=_B32_OVER_TIME,
    temporal="joint",
    paper="arXiv:2102.05095, equation 5",
    accuracies=(*tables.ILA_2.row(80.4),),
  ),
  "vit_b32_divided": _timesformer(
    kwargs=_B32_OVER_TIME,
    temporal="divided",
    paper="arXiv:2102.05095, section 3",
    accuracies=(*tables.ILA_2.row(80.6),),
  ),
  "vit_b32_ata": _pattern(
    kwargs=_B32_OVER_TIME,
    temporal="aligned",
    paper="arXiv:2210.00132",
    accuracies=(*tables.ILA_2.row(81.0),),
  ),
}
