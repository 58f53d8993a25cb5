"""Rules of alibaba-mmai-research/TAdaConv's networks over time and space."""

from convert_weights.formats.residual_parts import (
  Names,
  Naming,
  resnet3d,
  slowfast,
)
from convert_weights.rules import Rule, linear
from temporal_jax.models.backbones.resnet3d import ResNet3D
from temporal_jax.models.backbones.slowfast import SlowFast

_CONVOLUTION = Names("*", "*_bn", space="*1", between="*1_bn", time="*2", last="*2_bn")


def network(network: ResNet3D | SlowFast) -> list[Rule]:
  """Rules of a network, which must hold no temporal operator."""
  head = linear("head", "head.out")
  if isinstance(network, SlowFast):
    slow, fast = naming("slow_"), naming("fast_")
    return [*slowfast(network, slow, fast, _lateral), *head]
  # Names may be those of one pathway of a SlowFast.
  pathways = ["", "slow_", "fast_"]
  if max(network.taps[1:]) == 1:  # Such are a SlowFast's.
    pathways = pathways[1:] if network.taps[0] == 1 else pathways[:0:-1]
  rules = [rule for name in pathways for rule in resnet3d(network, naming(name))]
  return [*rules, *head]


def naming(pathway: str) -> Naming:
  """Returns the names of a pathway, which begin with `pathway`."""
  backbone = f"backbone.{pathway}"
  return Naming(
    stem=_CONVOLUTION.of(f"{backbone}conv1.a"),
    part=_CONVOLUTION.of("conv_branch.*"),
    shortcut=Names("short_cut", "short_cut_bn"),
    block=lambda stage: f"{backbone}conv{stage + 1}.res_{{b}}",
    parts=("a", "b", "c"),
  )


def _lateral(stage: int) -> Names:
  fusion = f"backbone.slowfast_fusion{stage}"
  return Names(f"{fusion}.conv_fast_to_slow", f"{fusion}.bn")
