"""The temporal operators by name, as values that fill a backbone's slots."""

import difflib
import functools
from collections.abc import Mapping
from types import MappingProxyType

from temporal_jax import layers
from temporal_jax.models.temporal import Temporal

OPERATORS: Mapping[str, Temporal] = MappingProxyType(
  {
    "none": Temporal(),
    "shift": Temporal(branch_input=layers.TemporalShift),
    "aggregation": Temporal(
      branch_input=functools.partial(layers.TemporalAggregation, taps=3)
    ),
    "alignment": Temporal(attention_branch=layers.LearnableAlignment),
    "alignment_dense": Temporal(
      attention_branch=functools.partial(
        layers.LearnableAlignment, kind="dense"
      )
    ),
    "messages": Temporal(
      block_input=layers.CrossFrameMessage, mlp_input=layers.RemoveMessage
    ),
  }
)


def resolve(temporal: str | Temporal | None) -> Temporal:
  """Returns the slots that `temporal` names; a `Temporal` is passed through.

  Raises:
    ValueError: If the name is not in `OPERATORS`.
  """
  if isinstance(temporal, Temporal):
    return temporal
  name = "none" if temporal is None else temporal
  if name not in OPERATORS:
    close = difflib.get_close_matches(name, OPERATORS, n=1)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    raise ValueError(
      f"unknown temporal operator {name!r}{hint}; known: {sorted(OPERATORS)}."
    )
  return OPERATORS[name]
