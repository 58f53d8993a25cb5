"""Networks that hold videos against texts: ILA and X-CLIP."""

from collections.abc import Mapping
from types import MappingProxyType

from temporal_jax.models.backbones.video_text import VideoTextModel
from temporal_jax.models.catalog import entry
from temporal_jax.models.catalog.entry import ModelSpec
from temporal_jax.models.catalog.openai_clip_sizes import SIZES, side

_LARGE_TEXT = {"text_width": 768, "text_heads": 12}
_ILA = "arXiv:2304.10465; Francis-Rings/ILA"
_XCLIP = "arXiv:2208.02816; microsoft/VideoX"


def _row(size: str, temporal: str, source: str) -> ModelSpec:
  kwargs = {**SIZES[size], **(_LARGE_TEXT if "l14" in size else {})}
  clip_shape = (8, side(kwargs), side(kwargs))
  return entry.row(VideoTextModel, kwargs, temporal, clip_shape, entry.IMAGENET, source)


ROWS: Mapping[str, ModelSpec] = MappingProxyType(
  {
    **{f"ila_vit_{size}": _row(size, "alignment", _ILA) for size in SIZES},
    "xclip_b32": _row("b32", "messages", _XCLIP),
  }
)
