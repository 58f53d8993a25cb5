"""Temporal shift as a layer without parameters."""

import flax.linen as nn
import jax

from temporal_jax import ops


class TemporalShift(nn.Module):
  """Temporal shift (TSM).

  Attributes:
    fold_div: Divisor of the channels that read one neighbour.
    direction: "both", "past" or "future", see `ops.temporal_shift`.
    window: Frames reached in each direction.

  Source: as `ops.temporal_shift`.
  """

  fold_div: int = 8
  direction: str = "both"
  window: int = 1

  def __call__(
    self, x: jax.Array, train: bool = False
  ) -> tuple[jax.Array, dict]:
    """Maps (B, T, ..., C) to the same shape; aux is empty."""
    del train
    shifted = ops.temporal_shift(
      x,
      fold_div=self.fold_div,
      direction=self.direction,
      window=self.window,
    )
    return shifted, {}


class TokenShift(nn.Module):
  """Temporal shift of the class token or of the patch tokens alone.

  Attributes:
    tokens: "class" (TokenShift) or "patches" (TSM in a ViT).
    fold_div: Divisor of the channels that read one neighbour.
    direction: "both", "past" or "future", see `ops.temporal_shift`.

  Source: as `ops.token_shift`.
  """

  tokens: str = "class"
  fold_div: int = 4
  direction: str = "both"

  def __call__(
    self, x: jax.Array, train: bool = False
  ) -> tuple[jax.Array, dict]:
    """Maps tokens (B, T, N, D), class token first; aux is empty."""
    del train
    shifted = ops.token_shift(
      x, tokens=self.tokens, fold_div=self.fold_div, direction=self.direction
    )
    return shifted, {}
