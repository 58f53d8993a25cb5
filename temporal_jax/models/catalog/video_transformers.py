"""Vision transformers trained on clips.

They are TimeSformer, VideoMAE, ViViT and V-JEPA 2.
"""

import functools
from collections.abc import Mapping

from temporal_jax import ops
from temporal_jax.models.backbones.vision_transformer import VisionTransformer
from temporal_jax.models.blocks.temporal_encoder import TemporalEncoder
from temporal_jax.models.blocks.transformer import TransformerBlock
from temporal_jax.models.catalog import accuracy_tables as tables, entry
from temporal_jax.models.catalog.entry import Entry

_SMALL = {"width": 384, "depth": 12, "num_heads": 6}
_LARGE = {"width": 1024, "depth": 24, "num_heads": 16}
_HUGE = {"width": 1280, "depth": 32, "num_heads": 16}

_TIMESFORMER_WEIGHTS = "https://github.com/facebookresearch/TimeSformer"
_MMACTION2_WEIGHTS = (
  "https://github.com/open-mmlab/mmaction2/tree/main/configs/recognition/timesformer"
)
_timesformer = functools.partial(
  Entry,
  module=VisionTransformer,
  pixels=entry.TADA,
  paper="arXiv:2102.05095",
  repository="facebookresearch/TimeSformer",
)
# The copies of the class token are equal: their average is one of them.
_SHARED = {"shared_class_token": True, "average_first": True}


def _over_time(frames: int, grid: int = 14) -> dict[str, object]:
  """Returns the arguments of a TimeSformer that sees time."""
  return {**_SHARED, "num_temporal_positions": frames, "grid": grid}


_videomae = functools.partial(
  Entry,
  module=VisionTransformer,
  temporal="joint",
  clip_shape=(16, 224, 224),
  pixels=entry.IMAGENET,
  paper="arXiv:2203.12602",
  repository="MCG-NJU/VideoMAE",
  weights="https://github.com/MCG-NJU/VideoMAE/blob/main/MODEL_ZOO.md",
)
_VIDEOMAE = {
  "has_class_token": False,
  "pooling": "mean",
  "average_first": True,
  "tubelet": (2, 2),
  "positions": "sine",
  "block": functools.partial(TransformerBlock, key_bias=False),
}
_GIANT = {
  "width": 1408,
  "depth": 40,
  "num_heads": 16,
  "patch_size": 14,
  "grid": 16,
  "block": functools.partial(TransformerBlock, key_bias=False, mlp_ratio=48 / 11),
}

_vivit = functools.partial(
  Entry,
  module=VisionTransformer,
  clip_shape=(32, 224, 224),
  pixels=entry.HALF,
  repository="google-research/scenic",
  weights=("https://github.com/google-research/scenic/tree/main/scenic/projects/vivit"),
)
# flax.linen's gelu, with which it was trained.
_VIVIT = {"tubelet": (2, 2), "activation": "gelu_tanh"}

_vjepa2 = functools.partial(
  Entry,
  module=VisionTransformer,
  temporal="joint",
  clip_shape=(64, 256, 256),
  pixels=entry.IMAGENET,
  paper="arXiv:2506.09985",
  repository="facebookresearch/vjepa2",
  weights="https://github.com/facebookresearch/vjepa2",
)
_VJEPA2 = {
  "has_class_token": False,
  "pooling": "attentive",
  "tubelet": (2, 2),
  "positions": "none",
  "grid": 16,
  "block": functools.partial(TransformerBlock, rotary=ops.space_time_rotary_embedding),
}
_VJEPA2_GIANT = {
  "width": 1408,
  "depth": 40,
  "num_heads": 22,
  "mlp_ratio": 48 / 11,
  "pooling_heads": 16,  # From the probes' configs, whatever the encoder's are.
}

ENTRIES: Mapping[str, Entry] = {
  "timesformer_b16": _timesformer(
    kwargs=_over_time(8),
    temporal="divided",
    clip_shape=(8, 224, 224),
    weights=_TIMESFORMER_WEIGHTS,
    accuracies=tables.TIMESFORMER_README.row(77.9, 79.1, 59.1, frames=8, views=(1, 3)),
  ),
  # "TimeSformer-HR" and "TimeSformer-L", which has 64 frames on
  # Something-Something v2.
  "timesformer_b16_448": _timesformer(
    kwargs=_over_time(16, grid=28),
    temporal="divided",
    clip_shape=(16, 448, 448),
    weights=_TIMESFORMER_WEIGHTS,
    accuracies=tables.TIMESFORMER_README.row(79.6, 81.8, 61.8, frames=16, views=(1, 3)),
  ),
  "timesformer_b16_96f": _timesformer(
    kwargs=_over_time(96),
    temporal="divided",
    clip_shape=(96, 224, 224),
    weights=_TIMESFORMER_WEIGHTS,
    accuracies=(
      *tables.TIMESFORMER_README.row(80.6, 82.2, None, frames=96, views=(1, 3)),
      *tables.TIMESFORMER_README.row(None, None, 62.0, frames=64, views=(1, 3)),
    ),
  ),
  "timesformer_b16_joint": _timesformer(
    kwargs=_over_time(8),
    temporal="joint",
    clip_shape=(8, 224, 224),
    weights=_MMACTION2_WEIGHTS,
    accuracies=tables.MMACTION2_TIMESFORMER.row(76.95, frames=8, views=(1, 3)),
  ),
  "timesformer_b16_space": _timesformer(
    kwargs={"average_first": True},
    clip_shape=(8, 224, 224),
    weights=_MMACTION2_WEIGHTS,
    accuracies=tables.MMACTION2_TIMESFORMER.row(76.93, frames=8, views=(1, 3)),
  ),
  "videomae_s16": _videomae(
    kwargs={**_VIDEOMAE, **_SMALL},
    accuracies=(
      *tables.VIDEOMAE_KINETICS.row(79.0, frames=16, views=(5, 3)),
      *tables.VIDEOMAE_SOMETHING.row(66.8, frames=16, views=(2, 3)),
      *tables.VIDEOMAEV2.row(83.7, 83.1, None, frames=16, views=(5, 3)),
    ),
  ),
  "videomae_b16": _videomae(
    kwargs=_VIDEOMAE,
    accuracies=(
      *tables.VIDEOMAE_KINETICS.row(81.5, frames=16, views=(5, 3)),
      *tables.VIDEOMAE_SOMETHING.row(70.8, frames=16, views=(2, 3)),
      *tables.VIDEOMAEV2.row(86.6, 85.9, None, frames=16, views=(5, 3)),
    ),
  ),
  "videomae_l16": _videomae(
    kwargs={**_VIDEOMAE, **_LARGE},
    accuracies=tables.VIDEOMAE_KINETICS.row(85.2, frames=16, views=(5, 3)),
  ),
  "videomae_h16": _videomae(
    kwargs={**_VIDEOMAE, **_HUGE},
    accuracies=tables.VIDEOMAE_KINETICS.row(86.6, frames=16, views=(5, 3)),
  ),
  "videomaev2_g14": _videomae(
    kwargs={**_VIDEOMAE, **_GIANT},
    paper="arXiv:2303.16727",
    repository="OpenGVLab/VideoMAEv2",
    weights="https://github.com/OpenGVLab/VideoMAEv2/blob/master/docs/MODEL_ZOO.md",
    accuracies=(
      *tables.VIDEOMAEV2.row(88.4, 88.8, None, frames=16, views=(5, 3)),
      *tables.VIDEOMAEV2.row(None, None, 77.0, frames=16, views=(2, 3)),
    ),
  ),
  "vivit_b16x2": _vivit(
    kwargs={
      **_VIVIT,
      **_SHARED,
      "positions": "clip",
      "num_temporal_positions": 16,
    },
    temporal="joint",
    paper="arXiv:2103.15691, model 1",
    accuracies=tables.VIVIT_README.row(79.9, None, frames=32, views=(4, 3)),
  ),
  "vivit_b16x2_factorised": _vivit(
    kwargs={**_VIVIT, "head": TemporalEncoder},
    paper="arXiv:2103.15691, model 2",
    accuracies=tables.VIVIT_README.row(78.4, None, frames=32, views=(4, 3)),
  ),
  "vivit_l16x2_factorised": _vivit(
    kwargs={
      **_VIVIT,
      **_LARGE,
      "head": functools.partial(TemporalEncoder, num_blocks=24),
    },
    paper="arXiv:2103.15691, model 2",
    accuracies=tables.VIVIT_README.row(80.3, 81.6, frames=32, views=(4, 3)),
  ),
  # Encoders were trained on 64 frames, probes of them on 16, 32 or 64.
  "vjepa2_l16": _vjepa2(kwargs={**_VJEPA2, **_LARGE}),
  "vjepa2_l16_16f": _vjepa2(
    kwargs={**_VJEPA2, **_LARGE},
    clip_shape=(16, 256, 256),
    accuracies=tables.VJEPA2_README.row(73.7, frames=16, views=(2, 3)),
  ),
  "vjepa2_l16_32f": _vjepa2(kwargs={**_VJEPA2, **_LARGE}, clip_shape=(32, 256, 256)),
  "vjepa2_h16": _vjepa2(kwargs={**_VJEPA2, **_HUGE}),
  "vjepa2_g16": _vjepa2(kwargs={**_VJEPA2, **_VJEPA2_GIANT}),
  "vjepa2_g16_384": _vjepa2(
    kwargs={**_VJEPA2, **_VJEPA2_GIANT, "grid": 24},
    clip_shape=(64, 384, 384),
    accuracies=tables.VJEPA2_README.row(77.3, frames=64, views=(2, 3)),
  ),
  "vjepa2_g16_384_32f": _vjepa2(
    kwargs={**_VJEPA2, **_VJEPA2_GIANT, "grid": 24},
    clip_shape=(32, 384, 384),
  ),
}
