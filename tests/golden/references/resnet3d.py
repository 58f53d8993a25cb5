"""R3D, R(2+1)D, SlowOnly and SlowFast of the TAda repository."""

import flax.linen as nn
import jax

from convert_weights.rules import under
from convert_weights.sources import resnet3d
from temporal_jax.models.resnet3d import ResNet3D
from temporal_jax.models.slowfast import SlowFast
from tests.golden.reference import Reference

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
  backbone = constructor["VIDEO"]["BACKBONE"]
  if backbone["NONLOCAL"]["ENABLE"]:
    raise ValueError("non-local blocks are not carried")
  return backbone


def _shared(constructor, beta=1):
  """The arguments that all these networks have, `beta` times narrower."""
  backbone = _backbone(constructor)
  basic = backbone["DEPTH"] <= 34
  expansion = 1 if basic else backbone["EXPANSION_RATIO"]
  if not basic and expansion != 4:
    raise ValueError(f"bottlenecks expand by 4, not by {expansion}")
  stem, *filters = (width // beta for width in backbone["NUM_FILTERS"])
  return {
    "num_classes": constructor["VIDEO"]["HEAD"]["NUM_CLASSES"],
    "stage_sizes": _STAGE_SIZES[backbone["DEPTH"]],
    "block": "basic" if basic else "bottleneck",
    "stem_width": stem,
    "widths": tuple(width // expansion for width in filters),
  }


def _strides(backbone):
  space, time = backbone["DOWNSAMPLING"], backbone["DOWNSAMPLING_TEMPORAL"]
  both = [a and b for a, b in zip(space, time, strict=True)]
  return {
    "strides": tuple(1 + strided for strided in space),
    "time_strides": tuple(1 + strided for strided in both),
  }


def _of_resnet3d(constructor):
  """What both the module and its rules must know."""
  backbone = _backbone(constructor)
  branch = backbone["BRANCH"]["NAME"]
  if branch not in ("R2Plus1DBranch", "R2D3DBranch"):
    raise ValueError(f"no ResNet3D of {branch}")
  return {
    "taps": tuple(size[0] for size in backbone["KERNEL_SIZE"]),
    "first_taps": (1, 1, 1, 1),
  }


def _is_factorised(constructor):
  return _backbone(constructor)["BRANCH"]["NAME"] == "R2Plus1DBranch"


def _resnet3d(constructor):
  backbone = _backbone(constructor)
  return ResNet3D(
    **_shared(constructor),
    **_of_resnet3d(constructor),
    **_strides(backbone),
    factorised=_is_factorised(constructor),
    stem_pool=backbone["STEM"]["NAME"] == "DownSampleStem",
  )


def _resnet3d_rules(constructor):
  return resnet3d.resnet3d(
    _shared(constructor)["block"],
    **_of_resnet3d(constructor),
    parted=_is_factorised(constructor),
  )


def _pathway(constructor, place):
  """Taps of the slow (0) or the fast (1) pathway."""
  backbone, block = _backbone(constructor), _shared(constructor)["block"]
  along_time = backbone["TEMPORAL_CONV_BOTTLENECK"][place][1:]
  if block == "basic":
    along_time = (False,) * len(along_time)
  return {
    "taps": tuple(size[0] for size in backbone["KERNEL_SIZE"][place]),
    "first_taps": tuple(3 if temporal else 1 for temporal in along_time),
  }


def _single(constructor):
  """Place of the only pathway, None if there are two."""
  mode = _backbone(constructor)["SLOWFAST"]["MODE"]
  return {"slowonly": 0, "fastonly": 1, "slowfast": None}[mode]


def _of_slowfast(constructor):
  slow, fast = (_pathway(constructor, place) for place in (0, 1))
  return {
    "stem_taps": (slow["taps"][0], fast["taps"][0]),
    "first_taps": (slow["first_taps"], fast["first_taps"]),
    "lateral_taps": _backbone(constructor)["SLOWFAST"]["KERNEL_SIZE"],
  }


def _slowfast(constructor):
  backbone, place = _backbone(constructor), _single(constructor)
  settings = backbone["SLOWFAST"]
  if place is not None:
    return ResNet3D(
      **_shared(constructor, settings["BETA"] if place else 1),
      **_pathway(constructor, place),
      **_strides(backbone),
    )
  return _Pathways(
    SlowFast(
      **_shared(constructor),
      **_of_slowfast(constructor),
      alpha=settings["ALPHA"],
      beta=settings["BETA"],
      lateral_ratio=settings["CONV_CHANNEL_RATIO"],
    )
  )


def _slowfast_rules(constructor):
  block, place = _shared(constructor)["block"], _single(constructor)
  if place is None:
    rules = resnet3d.slowfast(block, **_of_slowfast(constructor))
    return under(rules, "network", "")
  return resnet3d.resnet3d(
    block, theirs=("slow_", "fast_")[place], **_pathway(constructor, place)
  )


# R3D and R(2+1)D; TAda2D shares their class, see `tada_networks`.
RESNET3D = Reference(
  build=_resnet3d,
  axes=_AXES,
  rules=_resnet3d_rules,
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
