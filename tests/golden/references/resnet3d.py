"""R3D, R(2+1)D, SlowOnly and SlowFast of the TAda repository."""

import flax.linen as nn
import jax

from convert_weights.formats import resnet3d
from convert_weights.rules import under
from temporal_jax.models.backbones.resnet3d import ResNet3D
from temporal_jax.models.backbones.slowfast import SlowFast
from tests.golden.arguments import UnsupportedError
from tests.golden.reference import Reference
from tests.golden.references.tada_settings import head, ignore_settings

_BASE = "tadaconv/models/base"
_STAGE_SIZES = {
  10: (1, 1, 1, 1),
  16: (2, 2, 2, 1),
  18: (2, 2, 2, 2),
  26: (2, 2, 2, 2),
  34: (3, 4, 6, 3),
  50: (3, 4, 6, 3),
  101: (3, 4, 23, 3),
  152: (3, 8, 36, 3),
}
# For networks whose convolutions are factorised, and for the others.
_STEMS = {
  "R2Plus1DBranch": ("R2Plus1DStem",),
  "R2D3DBranch": ("DownSampleStem", "Base3DStem"),
}
_MAP, _CLASSES = "n t h w c", "n classes"
_AXES = {
  "x": _MAP,
  "slow": _MAP,
  "fast": _MAP,
  "logits": _CLASSES,
  "probabilities": _CLASSES,
  "pooled": "n c",
}


class _Pathways(nn.Module):
  """Calls a `SlowFast` with the slow pathway's frames first."""

  network: SlowFast

  def __call__(self, slow, fast, train=False):
    return self.network(fast, train, slow=slow)


def _name_outputs(out):
  logits, aux = out
  return {
    "logits": logits,
    "probabilities": jax.nn.softmax(logits),
    "pooled": aux["features"],
  }


def _backbone(constructor):
  ignore_settings(constructor)
  return constructor["VIDEO"]["BACKBONE"]


def _taps(kernels):
  """Frames that the stem's and the stages' kernels span.

  Raises:
    UnsupportedError: If they are not 7 x 7 and 3 x 3 over space.
  """
  if [kernel[1:] for kernel in kernels] != [[7, 7], *[[3, 3]] * 4]:
    raise UnsupportedError(f"KERNEL_SIZE={kernels!r}")
  return tuple(kernel[0] for kernel in kernels)


def _shared(constructor, beta=1):
  """The arguments that all these networks have, `beta` times narrower."""
  backbone = _backbone(constructor)
  basic = backbone["DEPTH"] <= 34
  expansion = 1 if basic else backbone.only("EXPANSION_RATIO", 4)
  if basic:
    backbone.ignore("EXPANSION_RATIO")
  num_classes, dropout = head(constructor, "BaseHead", "SlowFastHead")
  stem, *filters = (width // beta for width in backbone["NUM_FILTERS"])
  return {
    "num_classes": num_classes,
    "dropout": dropout,
    "stage_sizes": _STAGE_SIZES[backbone["DEPTH"]],
    "block": "basic" if basic else "bottleneck",
    "stem_width": stem,
    "widths": tuple(width // expansion for width in filters),
  }


def _strides(backbone):
  space, time = backbone["DOWNSAMPLING"], backbone["DOWNSAMPLING_TEMPORAL"]
  time.ignore(*(i for i, strided in enumerate(space) if not strided))
  both = [a and b for a, b in zip(space, time, strict=True)]
  return {
    "strides": tuple(1 + strided for strided in space),
    "time_strides": tuple(1 + strided for strided in both),
  }


def _resnet3d(constructor):
  backbone = _backbone(constructor)
  branch = backbone["BRANCH"].only("NAME", "R2Plus1DBranch", "R2D3DBranch")
  stem = backbone["STEM"].only("NAME", *_STEMS[branch])
  return ResNet3D(
    **_shared(constructor),
    **_strides(backbone),
    taps=_taps(backbone["KERNEL_SIZE"]),
    factorised=branch == "R2Plus1DBranch",
    stem_pool=stem == "DownSampleStem",
  )


def _pathway(constructor, place):
  """Taps of the slow (0) or the fast (1) pathway."""
  backbone, block = _backbone(constructor), _shared(constructor)["block"]
  backbone["BRANCH"].only("NAME", "SlowfastBranch")
  backbone["STEM"].only("NAME", "DownSampleStem")
  along_time = backbone["TEMPORAL_CONV_BOTTLENECK"][place]
  along_time.ignore(0)  # The stem has no bottleneck.
  along_time = along_time[1:]
  if block == "basic":
    backbone["TEMPORAL_CONV_BOTTLENECK"].ignore(place)
    along_time = (False,) * len(along_time)
  return {
    "taps": _taps(backbone["KERNEL_SIZE"][place]),
    "first_taps": tuple(3 if temporal else 1 for temporal in along_time),
  }


def _single(constructor):
  """Place of the only pathway, None if there are two."""
  mode = _backbone(constructor)["SLOWFAST"]["MODE"]
  return {"slowonly": 0, "fastonly": 1, "slowfast": None}[mode]


def _slowfast(constructor):
  backbone, place = _backbone(constructor), _single(constructor)
  settings = backbone["SLOWFAST"]
  lateral = ("ALPHA", "CONV_CHANNEL_RATIO", "KERNEL_SIZE")
  fusion = {"FUSION_CONV_BIAS": False, "FUSION_BN": True, "FUSION_RELU": True}
  if place is not None:
    settings.ignore(*lateral, *fusion, *(() if place else ("BETA",)))
    for name in ("KERNEL_SIZE", "TEMPORAL_CONV_BOTTLENECK"):
      backbone[name].ignore(1 - place)
    return ResNet3D(
      **_shared(constructor, settings["BETA"] if place else 1),
      **_pathway(constructor, place),
      **_strides(backbone),
    )
  for name, value in fusion.items():
    settings.only(name, value)
  backbone.only("DOWNSAMPLING", [True, False, True, True, True])
  backbone.only("DOWNSAMPLING_TEMPORAL", [False] * 5)
  slow, fast = (_pathway(constructor, place) for place in (0, 1))
  if {*slow["taps"][1:], *fast["taps"][1:]} != {1}:
    raise UnsupportedError(f"KERNEL_SIZE={backbone['KERNEL_SIZE']!r}")
  return _Pathways(
    SlowFast(
      **_shared(constructor),
      stem_taps=(slow["taps"][0], fast["taps"][0]),
      first_taps=(slow["first_taps"], fast["first_taps"]),
      lateral_taps=settings["KERNEL_SIZE"],
      alpha=settings["ALPHA"],
      beta=settings["BETA"],
      lateral_ratio=settings["CONV_CHANNEL_RATIO"],
    )
  )


def _slowfast_rules(constructor):
  module = _slowfast(constructor)
  if isinstance(module, _Pathways):
    return under(resnet3d.network(module.network), "network", "")
  return resnet3d.network(module)


# R3D and R(2+1)D; TAda2D shares their class, see `tada_networks`.
RESNET3D = Reference(
  build=_resnet3d,
  axes=_AXES,
  rules=lambda c: resnet3d.network(_resnet3d(c)),
  name_outputs=_name_outputs,
)
REFERENCES = {
  (f"{_BASE}/slowfast.py", "BaseVideoModel(Slowfast)"): Reference(
    build=_slowfast,
    axes=_AXES,
    rules=_slowfast_rules,
    name_outputs=_name_outputs,
  ),
}
