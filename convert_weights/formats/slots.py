"""Temporal slots of convolutional networks, as no image weights have them."""

from collections.abc import Mapping
from typing import Any

import flax.linen as nn

from temporal_jax.models.network import Network

_STAGE = r"(params|batch_stats)/(slow_)?stage\d+"
_OPERATOR = "a temporal operator, which no image network has"
# Regular expression of leaves that keep their initial values -> the reason.
NEW: Mapping[str, str] = {
  rf"{_STAGE}_block\d+_input/.+": _OPERATOR,
  rf"{_STAGE}_block\d+/branch_input/.+": _OPERATOR,
  rf"{_STAGE}_block\d+/conv\d?/((space|time)/)?route/.+": (
    "a route function, which starts by changing nothing"
  ),
  rf"{_STAGE}_block\d+/after_convolution/.+": (
    "pooling along time, which no image network has"
  ),
}


HEAD: Mapping[str, str] = {"params/head/.+": "the image weights have no classifier"}


def filling(network: Network, slot: str, **kwargs: Any) -> nn.Module | None:
  """Returns the module in a slot, to be asked for its attributes.

  Args:
    network: The network.
    slot: A slot of its operator.
    **kwargs: Arguments without which such a module is not made.
  """
  factory = getattr(network.temporal, slot)
  return None if factory is None else factory(**kwargs)
