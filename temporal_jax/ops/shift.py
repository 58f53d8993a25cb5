"""Temporal shift: some channels move one frame along time, for free."""

import jax
import jax.numpy as jnp

from temporal_jax.ops import checks

# Which frames the shifted channels read, seen from the current frame.
DIRECTIONS = ("both", "past", "future")


def temporal_shift(
  x: jax.Array, *, fold_div: int = 8, direction: str = "both"
) -> jax.Array:
  """Replaces a share of the channels by those of a neighbouring frame.

  With F = C // fold_div, "both" lets channels [0, F) read frame t + 1 and
  channels [F, 2F) frame t - 1; "past" lets [0, F) read t - 1, so that no frame
  needs a later one (the online form); "future" lets [0, F) read t + 1. All
  other channels stay. Frames outside the clip count as zero.

  Args:
    x: Features (B, T, ..., C), floating point: maps (B, T, H, W, C) or tokens
      (B, T, N, D).
    fold_div: Divisor of the channels that move in one direction, at least 2
      for "both" and at least 1 otherwise.
    direction: One of `DIRECTIONS`.

  Returns:
    Shifted features, in the shape and dtype of `x`.

  Raises:
    ValueError: If `x` is not floating point (B, T, ..., C), `direction` is
      unknown, or `fold_div` is too small.

  Source: Lin et al. 2019, https://arxiv.org/abs/1811.08383; class
    `TemporalShift` of mit-han-lab/temporal-shift-module.
  """
  checks.frames(x)
  if direction not in DIRECTIONS:
    raise ValueError(f"direction must be in {DIRECTIONS}, got {direction!r}.")
  smallest = 2 if direction == "both" else 1
  if fold_div < smallest:
    raise ValueError(
      f"fold_div must be at least {smallest} for direction {direction!r}, "
      f"got {fold_div}."
    )
  fold = x.shape[-1] // fold_div
  if direction == "both":
    ahead, behind, still = jnp.split(x, (fold, 2 * fold), axis=-1)
    parts = (_move(ahead, -1), _move(behind, 1), still)
  else:
    moved, still = jnp.split(x, (fold,), axis=-1)
    parts = (_move(moved, 1 if direction == "past" else -1), still)
  return jnp.concatenate(parts, axis=-1)


def _move(x: jax.Array, frames: int) -> jax.Array:
  """Moves `x` later by `frames` (1 or -1) along axis 1, filling with zeros."""
  empty = jnp.zeros_like(x[:, :1])
  if frames > 0:
    return jnp.concatenate((empty, x[:, :-1]), axis=1)
  return jnp.concatenate((x[:, 1:], empty), axis=1)
