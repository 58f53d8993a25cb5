"""Summary tokens: every frame's keys and values see all frames."""

import functools
from collections.abc import Callable
from typing import ClassVar

import flax.linen as nn
import jax

from temporal_jax import ops
from temporal_jax.layers.shift import TemporalShift


class SummaryTokens(nn.Module):
  """Appends the summaries of all frames to keys or values (X-ViT).

  For the slot `keys_values`; there space-time mixing itself is `TemporalShift`.
  The summaries are always taken from `x`, so that with `tokens=TemporalShift` a
  frame attends to its own mixed tokens and to unmixed summaries: summarising
  first and shifting afterwards would blank channels of the outer frames'
  summaries, shifting first would blend neighbouring summaries.

  Attributes:
    tokens: Makes a module (x, train) -> (x, aux) that maps the frames' own
      tokens, e.g. `TemporalShift`; None leaves them as they are.

  Source: as `ops.append_summaries`.
  """

  tokens: Callable[..., nn.Module] | None = None

  CHOICES: ClassVar = {"tokens": {"shift": TemporalShift}}

  @nn.compact
  def __call__(self, x: jax.Array, train: bool = False) -> tuple[jax.Array, dict]:
    """Maps (B, T, N, D), class token first, to (B, T, N + T, D)."""
    own, aux = x, {}
    if self.tokens is not None:
      own, aux = self.tokens(name="tokens")(x, train=train)
    return ops.append_summaries(own, x), aux


OPERATORS = {
  "mixing_summary": {
    "keys_values": functools.partial(SummaryTokens, tokens=TemporalShift)
  }
}
