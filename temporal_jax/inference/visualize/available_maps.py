"""What of a network can be drawn."""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NoReturn

from temporal_jax import layers
from temporal_jax.inference.runtime.saved_model import SavedModel
from temporal_jax.inference.visualize.record_modules import Call, calls_of

Calls = Mapping[str, list[Call]]

_ATTENTION = r"(visual/)?block\d+/attention"
# They hold tokens of other frames among a frame's own.
_NOT_FOLLOWED = (layers.CrossFrameMessage, layers.SummaryTokens)


def attention_names(calls: Calls) -> list[str]:
  """Returns the names of the blocks' attention that rollout can follow."""
  if any(calls_of(calls, kind) for kind in _NOT_FOLLOWED):
    return []
  found = calls_of(calls, layers.SelfAttention)
  return [name for name in found if re.fullmatch(_ATTENTION, name)]


_OFFERS: Mapping[str, Callable[[Calls], bool]] = MappingProxyType(
  {
    "calibration": lambda calls: bool(calls_of(calls, layers.AdaptiveConv)),
    "cues": lambda calls: bool(calls_of(calls, layers.ArithmeticCue)),
    "features": lambda calls: True,
    "gradcam": lambda calls: True,
    "masks": lambda calls: bool(calls_of(calls, layers.LearnableAlignment)),
    "rollout": lambda calls: bool(attention_names(calls)),
  }
)
KINDS = tuple(_OFFERS)


def offered_kinds(calls: Calls) -> tuple[str, ...]:
  """Returns which of `KINDS` a network offers, by the calls of its modules."""
  return tuple(kind for kind, offers in _OFFERS.items() if offers(calls))


def refuse(saved: SavedModel, calls: Calls, what: str) -> NoReturn:
  """Raises ValueError: a network lacks something; it says what can be drawn."""
  raise ValueError(
    f"{saved.name} has no {what}; it offers {', '.join(offered_kinds(calls))}."
  )
