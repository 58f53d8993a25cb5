"""ResNets over frames in namings that mark the blocks which shift (TSM)."""

from collections.abc import Callable

from convert_weights.formats import slots
from convert_weights.rules import Rule, under
from temporal_jax.layers import TemporalShift
from temporal_jax.models.backbones.resnet import ResNet
from temporal_jax.models.network import Network


def takes(network: Network) -> bool:
  """Returns whether a network is a TSN or a TSM over torchvision's ResNet.

  TSM shifts an eighth of the channels from either side, in a block's branch.
  """
  if not isinstance(network, ResNet):
    return False
  if network.stem != "7x7_pool" or tuple(network.strides) != (1, 2, 2, 2):
    return False
  if not network.is_framewise():
    return False
  if not network.temporal.filled():
    return True
  shift = slots.filling(network, "branch_input")
  return (
    network.temporal.filled() == {"branch_input"}
    and network.temporal.followed_by is None
    and shift == TemporalShift()
  )


def blocks(
  network: ResNet,
  block: Callable[[str], list[Rule]],
  *,
  theirs: str,
  wrapper: str,
) -> list[Rule]:
  """Rules of the blocks of a network.

  Args:
    network: The network.
    block: Rules of a block, of the text after the name of its first
      convolution: "" or `wrapper`.
    theirs: Start of the names, such as "backbone.".
    wrapper: That text in a block that shifts.
  """
  rules = []
  for stage, count in enumerate(network.stage_sizes):
    for place in range(count):
      shifts = network.temporal.at(stage, place).branch_input is not None
      rules += under(
        block(wrapper if shifts else ""),
        f"stage{stage + 1}_block{place + 1}",
        f"{theirs}layer{stage + 1}.{place}",
      )
  return rules
