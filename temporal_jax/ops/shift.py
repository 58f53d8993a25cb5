"""Temporal shift: some channels move one frame along time, for free."""

import functools
from collections.abc import Sequence

import jax
import jax.numpy as jnp

from temporal_jax.ops import shape_checks
from temporal_jax.ops.lowering import materialize
from temporal_jax.ops.lowering.moved_frames import move, sum_moved
from temporal_jax.ops.lowering.trace_once import trace_once
from temporal_jax.validation import check_choice

# Frames that the shifted channels read, seen from the current frame.
DIRECTIONS = ("both", "past", "future")


@trace_once("fold_div", "direction", "window")
def temporal_shift(
  x: jax.Array, *, fold_div: int = 8, direction: str = "both", window: int = 1
) -> jax.Array:
  """Replaces a share of the channels by the neighbouring frames' channels.

  With F = C // fold_div, "both" lets channels [0, F) read frame t + 1 and
  channels [F, 2F) frame t - 1; "past" lets [0, F) read t - 1, so that no frame
  needs a later one (the online form); "future" lets [0, F) read t + 1. A wider
  window goes on with t + 2, t - 2 and so on, F channels each. All other
  channels stay. Frames outside the clip count as zero.

  Args:
    x: Features (B, T, ..., C), floating point: maps (B, T, H, W, C) or tokens
      (B, T, N, D).
    fold_div: Divisor of the channels that read one neighbour, at least the
      number of neighbours: 2 window for "both", window otherwise.
    direction: One of `DIRECTIONS`.
    window: Frames reached in each direction, at least 1.

  Returns:
    Shifted features, in the shape and dtype of `x`.

  Raises:
    ValueError: If `x` is not floating point (B, T, ..., C), `direction` is
      unknown, or `window` or `fold_div` is too small.

  Source: Lin et al. 2019, https://arxiv.org/abs/1811.08383; class
    `TemporalShift` of mit-han-lab/temporal-shift-module. Windows: Bulat et al.
    2021, https://arxiv.org/abs/2106.05968, equation 9.
  """
  shape_checks.frames(x)
  offsets = find_offsets(direction, window, fold_div)
  fold = x.shape[-1] // fold_div
  shift = functools.partial(shift_channels, fold=fold, offsets=offsets)
  return jax.lax.platform_dependent(
    x,
    cpu=functools.partial(materialize.apart, shift),
    default=functools.partial(sum_folds, fold=fold, offsets=offsets),
  )


def temporal_shift_step(
  x: jax.Array, cache: jax.Array, *, fold_div: int = 8
) -> tuple[jax.Array, jax.Array]:
  """Shifts one frame of a stream: `temporal_shift` with "past", frame by frame.

  Args:
    x: The newest frame's features (B, ..., C), floating point.
    cache: The previous frame's first C // fold_div channels
      (B, ..., C // fold_div), zeros before the first frame.
    fold_div: Divisor of the channels that move, at least 1.

  Returns:
    The shifted frame (B, ..., C) and the cache for the next one.

  Raises:
    ValueError: If `x` is not floating point, `fold_div` is too small or the
      shapes do not fit.

  Source: Lin et al. 2019, https://arxiv.org/abs/1811.08383, section 4.3.
  """
  shape_checks.floating(x)
  find_offsets("past", 1, fold_div)
  fold = x.shape[-1] // fold_div
  expected = (*x.shape[:-1], fold)
  if cache.shape != expected:
    raise ValueError(
      f"cache must be {expected} for a frame {x.shape} and fold_div "
      f"{fold_div}, got {cache.shape}."
    )
  moved, still = jnp.split(x, (fold,), axis=-1)
  shifted = jnp.concatenate([cache.astype(x.dtype), still], axis=-1)
  return shifted, moved


def token_shift(
  x: jax.Array,
  *,
  tokens: str = "class",
  fold_div: int = 4,
  direction: str = "both",
) -> jax.Array:
  """Applies `temporal_shift` to only the class token or only the patch tokens.

  Args:
    x: Tokens (B, T, N, D), class token first, floating point.
    tokens: "class" (TokenShift) or "patches" (TSM in a ViT).
    fold_div: As in `temporal_shift`.
    direction: As in `temporal_shift`.

  Returns:
    Tokens in the shape and dtype of `x`.

  Raises:
    ValueError: As `temporal_shift`, or if `tokens` is unknown.

  Source: Zhang et al. 2021, https://arxiv.org/abs/2108.02432 (TokenShift);
    classes `TokenShift` and `TemporalShift_VIT` in
    modules/temporal_modeling.py of whwu95/ATM.
  """
  shape_checks.tokens(x)
  if tokens not in ("class", "patches"):
    raise ValueError(f"tokens must be 'class' or 'patches', got {tokens!r}.")
  parts = [x[:, :, :1], x[:, :, 1:]]
  which = 0 if tokens == "class" else 1
  parts[which] = temporal_shift(parts[which], fold_div=fold_div, direction=direction)
  return jnp.concatenate(parts, axis=2)


def shift_channels(x: jax.Array, fold: int, offsets: Sequence[int]) -> jax.Array:
  """Lets the i-th `fold` channels read the frame `offsets[i]` away."""
  out = x
  for i, offset in enumerate(offsets):
    reads = _are_channels(x, i * fold, (i + 1) * fold)
    out = jnp.where(reads, move(x, -offset), out)
  return out


def sum_folds(x: jax.Array, fold: int, offsets: Sequence[int]) -> jax.Array:
  """Shifts as `shift_channels` does; its gradient is one pass over memory."""
  starts = [i * fold for i in range(len(offsets) + 1)]
  stops = [*starts[1:], x.shape[-1]]

  def keep(i: int, frames: jax.Array) -> jax.Array:
    return jnp.where(_are_channels(x, starts[i], stops[i]), frames, 0)

  return sum_moved(keep, [*(-offset for offset in offsets), 0], x)


def _are_channels(x: jax.Array, start: int, stop: int) -> jax.Array:
  """Returns a mask of channels start ... stop - 1, (1, ..., 1, C)."""
  shape = (1,) * (x.ndim - 1) + x.shape[-1:]
  channel = jax.lax.broadcasted_iota(jnp.int32, shape, x.ndim - 1)
  return (channel >= start) & (channel < stop)


def find_offsets(direction: str, window: int, fold_div: int) -> list[int]:
  """Returns the frame that each fold of channels reads, seen from its own.

  Raises:
    ValueError: If an argument is out of range.
  """
  check_choice("direction", direction, DIRECTIONS)
  shape_checks.whole(1, window=window, fold_div=fold_div)
  signs = {"both": (1, -1), "past": (-1,), "future": (1,)}[direction]
  offsets = [sign * n for n in range(1, window + 1) for sign in signs]
  if fold_div < len(offsets):
    raise ValueError(
      f"fold_div must be at least {len(offsets)} for direction {direction!r} "
      f"and window {window}, got {fold_div}."
    )
  return offsets
