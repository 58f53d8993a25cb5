"""Residual networks over time and space.

They follow alibaba-mmai-research/TAdaConv, and networks of 50 layers also exist
with its TAdaConv for their convolutions. R(2+1)D-50 and R3D-50 are from its
paper's table A3, made of the code's classes: no stem pools, the first stage
strides instead, and all frames are kept. The stem of R(2+1)D-50 sees one frame.

Networks with the name of a library at the end are as its published weights have
them.
"""

import functools
from collections.abc import Mapping

from temporal_jax.models.backbones.resnet3d import ResNet3D
from temporal_jax.models.backbones.slowfast import SlowFast
from temporal_jax.models.catalog import accuracy_tables as tables, entry
from temporal_jax.models.catalog.entry import Entry, ReferenceCost

_SLOWFAST = "arXiv:1812.03982"
_R3D = "arXiv:1711.11248"
_TADA = "arXiv:2110.06178, table 3, on"
_MODEL_ZOO = "https://github.com/alibaba-mmai-research/TAdaConv/blob/main/MODEL_ZOO.md"
_PYTORCHVIDEO_ZOO = (
  "https://github.com/facebookresearch/pytorchvideo/blob/main/docs/source/model_zoo.md"
)
_MMACTION2_ZOO = (
  "https://github.com/open-mmlab/mmaction2/tree/main/configs/recognition/r2plus1d"
)

_BASIC_10 = {"block": "basic", "stage_sizes": (1, 1, 1, 1)}
_BASIC_18 = {"block": "basic", "stage_sizes": (2, 2, 2, 2)}
_BASIC_34 = {"block": "basic", "stage_sizes": (3, 4, 6, 3)}
_STRIDES = {"time_strides": (1, 1, 2, 2, 2)}
_R2PLUS1D = {"factorised": True, "stem_pool": False, **_STRIDES}
# Table A3 of arXiv:2308.05787.
_R3D_50 = {"strides": (2, 2, 2, 2, 2), "stem_pool": False}
_R2PLUS1D_50 = {"factorised": True, "taps": (1, 3, 3, 3, 3), **_R3D_50}
_LATE_TAPS = {
  "taps": (1, 1, 1, 3, 3),
  "widths": (64, 128, 256, 256),
  "time_strides": (1, 1, 1, 2, 2),
}
# As the code of the libraries has them.
_TORCHVISION_R2PLUS1D = {"stem_inner_width": 45, "shared_width": True}
_PYTORCHVIDEO_R2PLUS1D = {"time_first": True, "time_strides": (1, 1, 1, 2, 2)}
_SLOW_TAPS = {"taps": (1, 1, 1, 1, 1), "first_taps": (1, 1, 3, 3)}
_4X16 = {"alpha": 8, "lateral_taps": 5}
_8X8 = {"alpha": 4, "lateral_taps": 7}

_entry = functools.partial(
  Entry, pixels=entry.TADA, repository="alibaba-mmai-research/TAdaConv"
)
_large = functools.partial(_entry, module=ResNet3D, clip_shape=(8, 224, 224))
_small = functools.partial(_entry, module=ResNet3D, clip_shape=(16, 112, 112))
_slowfast = functools.partial(_entry, module=SlowFast, clip_shape=(32, 224, 224))
_torchvision = functools.partial(
  Entry,
  module=ResNet3D,
  clip_shape=(16, 112, 112),
  pixels=entry.TORCHVISION_VIDEO,
  paper=_R3D,
  repository="pytorch/vision",
  weights="https://github.com/pytorch/vision",
)

ENTRIES: Mapping[str, Entry] = {
  "slowonly_50": _large(
    kwargs=_SLOW_TAPS,
    paper=_SLOWFAST,
    weights=_PYTORCHVIDEO_ZOO,
    reference_cost=ReferenceCost(
      params=32_454_096,
      gmacs=41.741,
      clip_shape=(8, 224, 224),
      paper="32.5 M; 54.52 at 256 (table 3c)",
    ),
    accuracies=(*tables.TADA_3C.row(74.6, 60.3, frames=8),),
  ),
  "slowfast_50_4x16": _slowfast(
    kwargs=_4X16,
    paper=_SLOWFAST,
    weights=_PYTORCHVIDEO_ZOO,
    reference_cost=ReferenceCost(
      params=34_480_216,
      gmacs=27.639,
      clip_shape=(32, 224, 224),
      paper="34.5 M; 36.10 at 256 (table 3c)",
    ),
    accuracies=(*tables.TADA_3C.row(75.0, 56.7, frames=32),),
  ),
  "slowfast_50_8x8": _slowfast(
    kwargs=_8X8,
    paper=_SLOWFAST,
    weights=_PYTORCHVIDEO_ZOO,
    reference_cost=ReferenceCost(
      params=34_566_488,
      gmacs=50.309,
      clip_shape=(32, 224, 224),
      paper="34.5 M; 65.71 at 256 (table 3c)",
    ),
    accuracies=(*tables.TADA_3C.row(76.2, 61.5, frames=32),),
  ),
  "r2plus1d_10": _small(
    kwargs={**_R2PLUS1D, **_BASIC_10},
    paper=_R3D,
    weights=_MODEL_ZOO,
    reference_cost=ReferenceCost(
      params=14_570_677, gmacs=21.334, clip_shape=(16, 112, 112)
    ),
  ),
  "r2plus1d_18": _small(
    kwargs={**_R2PLUS1D, **_BASIC_18},
    paper=_R3D,
    reference_cost=ReferenceCost(
      params=33_383_797, gmacs=42.143, clip_shape=(16, 112, 112)
    ),
  ),
  "r2plus1d_50": _large(
    kwargs=_R2PLUS1D_50,
    paper=_R3D,
    reference_cost=ReferenceCost(
      params=28_107_600,
      gmacs=49.552,
      clip_shape=(8, 256, 256),
      paper="28.1 M; 49.55 (tables 3c, A5); 37.94 at 224 (table 1)",
    ),
    accuracies=(*tables.TADA_3C.row(73.6, 61.1, frames=8),),
  ),
  "r2d3d_18": _small(
    kwargs={**_LATE_TAPS, **_BASIC_18},
    paper=_R3D,
    weights=_MODEL_ZOO,
    reference_cost=ReferenceCost(
      params=14_160_336, gmacs=6.864, clip_shape=(16, 112, 112)
    ),
  ),
  "r3d_18": _small(
    kwargs={**_STRIDES, **_BASIC_18},
    paper=_R3D,
    reference_cost=ReferenceCost(
      params=33_371_472, gmacs=11.423, clip_shape=(16, 112, 112)
    ),
  ),
  "r3d_50": _large(
    kwargs=_R3D_50,
    paper=_R3D,
    reference_cost=ReferenceCost(
      params=46_980_944,
      gmacs=84.231,
      clip_shape=(8, 256, 256),
      paper="47.0 M; 84.23 (tables 3c, A5)",
    ),
    accuracies=(*tables.TADA_3C.row(73.8, 59.9, frames=8),),
  ),
  "r2plus1d_50_pytorchvideo": Entry(
    module=ResNet3D,
    kwargs={**_R2PLUS1D_50, **_PYTORCHVIDEO_R2PLUS1D},
    clip_shape=(16, 224, 224),
    pixels=entry.TADA,
    paper=_R3D,
    repository="facebookresearch/pytorchvideo",
    weights=_PYTORCHVIDEO_ZOO,
  ),
  "r2plus1d_34_mmaction2": Entry(
    module=ResNet3D,
    kwargs={
      "factorised": True,
      "factorised_shortcut": True,
      **_BASIC_34,
      **_STRIDES,
    },
    clip_shape=(8, 224, 224),
    pixels=entry.IMAGENET,
    paper=_R3D,
    repository="open-mmlab/mmaction2",
    weights=_MMACTION2_ZOO,
  ),
  "r2plus1d_18_torchvision": _torchvision(
    kwargs={**_R2PLUS1D, **_BASIC_18, **_TORCHVISION_R2PLUS1D},
    reference_cost=ReferenceCost(
      params=31_505_325,
      gmacs=40.519,
      clip_shape=(16, 112, 112),
      paper="31.5 M; 40.52 (documentation)",
    ),
  ),
  "r3d_18_torchvision": _torchvision(
    kwargs={**_STRIDES, **_BASIC_18, "stem_pool": False},
    reference_cost=ReferenceCost(
      params=33_371_472,
      gmacs=40.697,
      clip_shape=(16, 112, 112),
      paper="33.4 M; 40.70 (documentation)",
    ),
  ),
  "mc3_18": _torchvision(
    kwargs={"taps": (3, 3, 1, 1, 1), **_BASIC_18, "stem_pool": False},
    reference_cost=ReferenceCost(
      params=11_695_440,
      gmacs=43.343,
      clip_shape=(16, 112, 112),
      paper="11.7 M; 43.34 (documentation)",
    ),
  ),
  "slowonly_50_tada": _large(
    kwargs=_SLOW_TAPS,
    temporal="adaptive_convolution",
    paper=f"{_TADA} {_SLOWFAST}",
    accuracies=(*tables.TADA_3C.row(75.9, 63.3, frames=8),),
  ),
  "slowfast_50_4x16_tada": _slowfast(
    kwargs=_4X16,
    temporal="adaptive_convolution",
    paper=f"{_TADA} {_SLOWFAST}",
    accuracies=(*tables.TADA_3C.row(76.5, 59.8, frames=32),),
  ),
  "slowfast_50_8x8_tada": _slowfast(
    kwargs=_8X8,
    temporal="adaptive_convolution",
    paper=f"{_TADA} {_SLOWFAST}",
    accuracies=(*tables.TADA_3C.row(77.4, 63.9, frames=32),),
  ),
  "r2plus1d_50_tada": _large(
    kwargs=_R2PLUS1D_50,
    temporal="adaptive_convolution",
    paper=f"{_TADA} {_R3D}",
    accuracies=(*tables.TADA_3C.row(75.2, 62.9, frames=8),),
  ),
  "r3d_50_tada": _large(
    kwargs=_R3D_50,
    temporal="adaptive_convolution",
    paper=f"{_TADA} {_R3D}",
    accuracies=(*tables.TADA_3C.row(74.9, 62.9, frames=8),),
  ),
  "r2plus1d_50_tada1d": _large(
    kwargs=_R2PLUS1D_50,
    temporal="adaptive_space_and_time",
    paper=f"{_TADA} {_R3D}",
    accuracies=(*tables.TADA_3C.row(75.4, 63.8, frames=8),),
  ),
}
