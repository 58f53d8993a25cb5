"""Temporal shift as a layer without parameters."""

import functools

import flax.linen as nn
import jax

from temporal_jax import ops
from temporal_jax.layers.online_state import is_online, only_frame, remember
from temporal_jax.ops import shape_checks


class TemporalShift(nn.Module):
  """Temporal shift (TSM); online too if it shifts only from the past.

  Attributes:
    fold_div: Divisor of the channels that read one neighbour.
    direction: "both", "past" or "future", see `ops.temporal_shift`.
    window: Frames reached in each direction.
    segment: Frames that shift among themselves, e.g. 8 for the halves of 16 in
      the published X-ViT of Kinetics; None for the whole clip. A clip must be
      a whole number of segments, or shorter than one.

  Source: as `ops.temporal_shift`.
  """

  fold_div: int = 8
  direction: str = "both"
  window: int = 1
  segment: int | None = None

  @property
  def online(self) -> bool:
    """Whether it can run on one frame of a stream after the other."""
    return (self.direction, self.window, self.segment) == ("past", 1, None)

  @nn.compact
  def __call__(self, x: jax.Array, train: bool = False) -> tuple[jax.Array, dict]:
    """Maps (B, T, ..., C) to the same shape; aux is empty.

    Raises:
      ValueError: If no channel would be shifted, `segment` is below 1 or
        segments do not divide T, it runs online and cannot, or as
        `ops.temporal_shift`.
    """
    del train
    shape_checks.frames(x)
    if x.shape[-1] < self.fold_div:
      raise ValueError(
        f"fold_div {self.fold_div} shifts none of the channels of {x.shape}: a "
        "backbone must be wider, or fold_div smaller."
      )
    if is_online(self):
      frame = only_frame(self, x)
      kept = (*frame.shape[:-1], frame.shape[-1] // self.fold_div)
      past = remember(self, kept, frame.dtype)
      shifted, past.value = ops.temporal_shift_step(
        frame, past.value, fold_div=self.fold_div
      )
      return shifted[:, None], {}
    frames = x.shape[1]
    segment = min(shape_checks.given_or(frames, segment=self.segment), frames)
    if frames % segment:
      raise ValueError(f"segments of {segment} do not divide {x.shape}.")
    segments = frames // segment
    shifted = ops.temporal_shift(
      # (B segments, segment, ...)
      x.reshape(segments * x.shape[0], segment, *x.shape[2:]),
      fold_div=self.fold_div,
      direction=self.direction,
      window=self.window,
    )
    return shifted.reshape(x.shape), {}


class TokenShift(nn.Module):
  """Temporal shift of only the class token or only the patch tokens.

  Attributes:
    tokens: "class" (TokenShift) or "patches" (TSM in a ViT).
    fold_div: Divisor of the channels that read one neighbour.
    direction: "both", "past" or "future", see `ops.temporal_shift`.

  Source: as `ops.token_shift`.
  """

  tokens: str = "class"
  fold_div: int = 4
  direction: str = "both"

  def __call__(self, x: jax.Array, train: bool = False) -> tuple[jax.Array, dict]:
    """Maps tokens (B, T, N, D), class token first; aux is empty.

    Raises:
      ValueError: As `ops.token_shift`.
    """
    del train
    shifted = ops.token_shift(
      x, tokens=self.tokens, fold_div=self.fold_div, direction=self.direction
    )
    return shifted, {}


_PAST = functools.partial(TemporalShift, direction="past")
OPERATORS = {
  "shift": {"branch_input": TemporalShift},
  "causal_shift": {"branch_input": _PAST},
  "residual_shift": {"block_input": TemporalShift},
  "causal_residual_shift": {"block_input": _PAST},
  "mixing": {"keys_values": TemporalShift},
  "mixing_quarter": {"keys_values": functools.partial(TemporalShift, fold_div=4)},
  "mixing_eight": {"keys_values": functools.partial(TemporalShift, segment=8)},
}
