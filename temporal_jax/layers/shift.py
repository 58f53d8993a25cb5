"""Temporal shift as a layer without parameters."""

import flax.linen as nn
import jax

from temporal_jax import ops


class TemporalShift(nn.Module):
  """Temporal shift (TSM).

  Attributes:
    fold_div: Divisor of the channels that move in one direction.
    direction: "both", "past" or "future", see `ops.temporal_shift`.

  Source: as `ops.temporal_shift`.
  """

  fold_div: int = 8
  direction: str = "both"

  def __call__(
    self, x: jax.Array, train: bool = False
  ) -> tuple[jax.Array, dict]:
    """Maps (B, T, ..., C) to the same shape; aux is empty."""
    del train
    shifted = ops.temporal_shift(
      x, fold_div=self.fold_div, direction=self.direction
    )
    return shifted, {}
