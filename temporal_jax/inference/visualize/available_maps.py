"""The kinds of maps that a network has."""

import re
from collections.abc import Callable, Mapping
from typing import NoReturn

from temporal_jax import layers
from temporal_jax.inference.runtime.saved_model import SavedModel
from temporal_jax.inference.visualize.record_modules import Call, calls_of

Calls = Mapping[str, list[Call]]

# They hold tokens of other frames among a frame's own.
_NOT_FOLLOWED = (layers.CrossFrameMessage, layers.SummaryTokens)


def attention_names(saved: SavedModel, calls: Calls) -> list[str]:
  """Returns the names of the blocks' attention that rollout can follow."""
  if any(calls_of(calls, kind) for kind in _NOT_FOLLOWED):
    return []
  found = calls_of(calls, layers.SelfAttention)
  attention = saved.network.visual_layers().attention
  return [name for name in found if re.fullmatch(attention, name)]


_OFFERS: Mapping[str, Callable[[SavedModel, Calls], bool]] = {
  "calibration": lambda saved, calls: bool(calls_of(calls, layers.AdaptiveConv)),
  "cues": lambda saved, calls: bool(calls_of(calls, layers.ArithmeticCue)),
  "features": lambda saved, calls: True,
  "gradcam": lambda saved, calls: True,
  "masks": lambda saved, calls: bool(calls_of(calls, layers.LearnableAlignment)),
  "rollout": lambda saved, calls: bool(attention_names(saved, calls)),
}
KINDS = tuple(_OFFERS)


def offered_kinds(saved: SavedModel, calls: Calls) -> tuple[str, ...]:
  """Returns those of `KINDS` that a network offers, by its modules."""
  return tuple(kind for kind, offers in _OFFERS.items() if offers(saved, calls))


def refuse(saved: SavedModel, calls: Calls, what: str) -> NoReturn:
  """Raises ValueError, with the maps that can be drawn of the network."""
  raise ValueError(
    f"{saved.name} has no {what}; it offers {', '.join(offered_kinds(saved, calls))}."
  )
