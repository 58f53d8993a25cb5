"""Rules of the residual networks of facebookresearch/SlowFast (PySlowFast)."""

from collections.abc import Mapping
from typing import Any

from convert_weights.checkpoint_format import CheckpointFormat, Refusal, Shown
from convert_weights.formats.residual_parts import Names, Naming, resnet3d, slowfast
from convert_weights.rules import Rule, linear
from temporal_jax.models.backbones.resnet3d import ResNet3D
from temporal_jax.models.backbones.slowfast import SlowFast
from temporal_jax.models.network import Network


def rules(network: ResNet3D | SlowFast) -> list[Rule]:
  """Rules of a network that `takes` takes."""
  slow, fast = _naming(0), _naming(1)
  head = linear("head", "head.projection")
  if isinstance(network, SlowFast):
    return [*slowfast(network, slow, fast, _lateral), *head]
  return [*resnet3d(network, slow), *head]


def takes(network: Network) -> bool:
  """Returns whether the repository has such networks: Slow and SlowFast.

  Blocks of two convolutions (ResNet-18) span frames only in the first one
  there.
  """
  if not isinstance(network, ResNet3D | SlowFast):
    return False
  if network.temporal.filled() or network.block != "bottleneck":
    return False
  if isinstance(network, SlowFast):
    return network.lateral_norm
  return max(network.taps) == 1 and network.stem_pool


def shown(network: Network, tensors: Mapping[str, Any]) -> Mapping[str, Shown]:
  """Returns the sampling of the slow pathway in the code, if it differs."""
  del tensors
  if getattr(network, "slow_sampling", "linspace") == "linspace":
    return {}
  why = "the code spreads the slow pathway's frames over the clip"
  return {"slow_sampling": Shown("linspace", why)}


def _naming(pathway: int) -> Naming:
  stem = f"s1.pathway{pathway}_stem"
  return Naming(
    stem=Names(f"{stem}.conv", f"{stem}.bn"),
    part=Names("branch2.*", "branch2.*_bn"),
    shortcut=Names("branch1", "branch1_bn"),
    block=lambda stage: f"s{stage + 1}.pathway{pathway}_res{{b-1}}",
    parts=("a", "b", "c"),
  )


def _lateral(stage: int) -> Names:
  return Names(f"s{stage}_fuse.conv_f2s", f"s{stage}_fuse.bn")


FORMATS: tuple[CheckpointFormat, ...] = (
  CheckpointFormat(
    name="pyslowfast",
    origin="facebookresearch/SlowFast",
    rules=rules,
    takes=takes,
    marks=(
      r"s1\.pathway0_stem\.conv\.weight",
      r"s2\.pathway0_res0\.branch2\.a\.weight",
    ),
    shown=shown,
    refusals=(
      Refusal(
        "stages have non-local blocks (NONLOCAL.LOCATION); no network here has them.",
        has=r"s\d\.pathway\d_nonlocal\d+\..+",
      ),
    ),
  ),
)
