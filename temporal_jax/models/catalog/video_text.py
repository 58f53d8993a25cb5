"""Networks that compare videos with texts: ILA, X-CLIP and TAdaFormer."""

import functools
from collections.abc import Mapping

from temporal_jax.models.backbones.video_text import VideoTextModel
from temporal_jax.models.catalog import accuracy_tables as tables, entry
from temporal_jax.models.catalog.entry import Entry, ReferenceCost
from temporal_jax.models.catalog.openai_clip_sizes import B16, B32, L14, L14_336

_LARGE_TEXT = {"text_width": 768, "text_heads": 12}
_ila = functools.partial(
  Entry,
  module=VideoTextModel,
  temporal="alignment",
  clip_shape=(8, 224, 224),
  pixels=entry.IMAGENET,
  paper="arXiv:2304.10465",
  repository="Francis-Rings/ILA",
  weights="https://github.com/Francis-Rings/ILA",
)
# CLIP with TAdaFormer for its image tower; its authors list zero-shot figures,
# but have no public code for texts.
_tadaformer = functools.partial(
  Entry,
  module=VideoTextModel,
  temporal="adaptive_branch",
  clip_shape=(16, 224, 224),
  pixels=entry.CLIP,
  paper="arXiv:2308.05787, section 5.6",
  repository="no public code for texts",
)
_TADAFORMER = {
  "tubelet": (3, 2),
  "average_first": True,
  "integration_depth": 0,
  "prompt_depth": 0,
}

_xclip = functools.partial(
  Entry,
  module=VideoTextModel,
  temporal="messages",
  clip_shape=(8, 224, 224),
  pixels=entry.IMAGENET,
  paper="arXiv:2208.02816",
  repository="microsoft/VideoX",
  weights="https://github.com/microsoft/VideoX/tree/master/X-CLIP",
)

ENTRIES: Mapping[str, Entry] = {
  "ila_vit_b32": _ila(
    kwargs=B32,
    reference_cost=ReferenceCost(
      params=201_596_977,
      gmacs=52.254,
      clip_shape=(8, 224, 224),
      paper="40 (table 2); the alignments are 14.6 of the authors' code",
    ),
    accuracies=(
      *tables.ILA_2.row(81.3),
      *tables.ILA_README.row(81.3, None, start="CLIP", frames=8, views=(4, 3)),
      *tables.ILA_README.row(82.4, None, start="CLIP", frames=16, views=(4, 3)),
    ),
  ),
  "ila_vit_b16": _ila(
    kwargs=B16,
    reference_cost=ReferenceCost(
      params=199_940_401, gmacs=201.727, clip_shape=(8, 224, 224)
    ),
    accuracies=(
      *tables.ILA_README.row(84.0, 65.0, start="CLIP", frames=8, views=(4, 3)),
      *tables.ILA_README.row(85.7, 66.8, start="CLIP", frames=16, views=(4, 3)),
    ),
  ),
  "ila_vit_l14": _ila(
    kwargs={**L14, **_LARGE_TEXT},
    reference_cost=ReferenceCost(
      params=567_749_473, gmacs=882.466, clip_shape=(8, 224, 224)
    ),
    accuracies=(
      *tables.ILA_README.row(88.0, 67.8, start="CLIP", frames=8, views=(4, 3)),
    ),
  ),
  "ila_vit_l14_336": _ila(
    kwargs={**L14_336, **_LARGE_TEXT},
    clip_shape=(8, 336, 336),
    reference_cost=ReferenceCost(
      params=568_077_153, gmacs=2048.273, clip_shape=(8, 336, 336)
    ),
    accuracies=(
      *tables.ILA_README.row(88.7, 70.2, start="CLIP", frames=16, views=(4, 3)),
    ),
  ),
  "xclip_b32": _xclip(
    kwargs=B32,
    accuracies=(
      *tables.ILA_2.row(80.4),
      *tables.XCLIP_README.row(80.4, frames=8, views=(4, 3)),
      *tables.XCLIP_README.row(81.1, frames=16, views=(4, 3)),
    ),
  ),
  "xclip_b16": _xclip(
    kwargs=B16,
    accuracies=(
      *tables.XCLIP_README.row(83.8, frames=8, views=(4, 3)),
      *tables.XCLIP_README.row(84.7, frames=16, views=(4, 3)),
    ),
  ),
  "xclip_l14": _xclip(
    kwargs={**L14, **_LARGE_TEXT},
    accuracies=(*tables.XCLIP_README.row(87.1, frames=8, views=(4, 3)),),
  ),
  "xclip_l14_336": _xclip(
    kwargs={**L14_336, **_LARGE_TEXT, "num_frames": 16},
    clip_shape=(16, 336, 336),
    accuracies=(*tables.XCLIP_README.row(87.7, frames=16, views=(4, 3)),),
  ),
  "tadaformer_b16_text": _tadaformer(kwargs={**B16, **_TADAFORMER}),
  "tadaformer_l14_text": _tadaformer(kwargs={**L14, **_LARGE_TEXT, **_TADAFORMER}),
}
