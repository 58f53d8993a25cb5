"""The temporal operators by name, as values that fill a backbone's slots."""

import difflib
import functools
from collections.abc import Mapping
from types import MappingProxyType

from temporal_jax import layers
from temporal_jax.models.temporal import Temporal


def adaptive_attention(head_width: int) -> Temporal:
  """Returns TAdaConvV2 as TAdaConvNeXtV2 has it, with pooling along time."""
  route = functools.partial(
    layers.RouteAttention, ratio=2, head_width=head_width, bias=True
  )
  convolution = functools.partial(
    layers.AdaptiveConv, axis="out", use_bias=True, route=route
  )
  pooling = functools.partial(layers.StridedTemporalPooling, norm="layer")
  return Temporal(convolution=convolution, after_convolution=pooling)


OPERATORS: Mapping[str, Temporal] = MappingProxyType(
  {
    "none": Temporal(),
    "shift": Temporal(branch_input=layers.TemporalShift),
    "aggregation": Temporal(
      branch_input=functools.partial(layers.TemporalAggregation, taps=3)
    ),
    "adaptive": Temporal(
      convolution=layers.AdaptiveConv,
      after_convolution=layers.StridedTemporalPooling,
    ),
    # Where a ResNet's third stage begins; combined at half the resolution.
    "arithmetic_resnet": Temporal(
      block_input=functools.partial(layers.ArithmeticModeling, stride=2),
      where=lambda stage, block: (stage, block) == (2, 0),
    ),
    "adaptive_attention_48": adaptive_attention(48),
    "adaptive_attention_64": adaptive_attention(64),
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
