"""The temporal operators by name, as values that fill a backbone's slots."""

import difflib
import functools
from collections.abc import Mapping
from types import MappingProxyType

from temporal_jax import layers
from temporal_jax.models.temporal import Temporal

_TEMPORAL_BRANCH = functools.partial(
  layers.AdaptiveBranch, temporal_projection=True
)

OPERATORS: Mapping[str, Temporal] = MappingProxyType(
  {
    "none": Temporal(),
    "shift": Temporal(branch_input=layers.TemporalShift),
    "aggregation": Temporal(
      branch_input=functools.partial(layers.TemporalAggregation, taps=3)
    ),
    "stream_shift": Temporal(block_input=layers.TemporalShift),
    "mixing": Temporal(keys_values=layers.TemporalShift),
    "mixing_quarter": Temporal(
      keys_values=functools.partial(layers.TemporalShift, fold_div=4)
    ),
    "mixing_eight": Temporal(
      keys_values=functools.partial(layers.TemporalShift, segment=8)
    ),
    "mixing_summary": Temporal(
      keys_values=functools.partial(
        layers.SummaryTokens, tokens=layers.TemporalShift
      )
    ),
    "joint": Temporal(attention=layers.JointAttention),
    "divided": Temporal(attention_branch=layers.TemporalAttention),
    "aligned": Temporal(
      attention_branch=functools.partial(layers.TemporalAttention, aligned=True)
    ),
    "adaptive_branch": Temporal(attention_branch=layers.AdaptiveBranch),
    "adaptive_branches": Temporal(
      attention_branch=_TEMPORAL_BRANCH, mlp_branch=_TEMPORAL_BRANCH
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
