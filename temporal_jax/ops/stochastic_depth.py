"""Stochastic depth: whole residual branches are dropped in training."""

import jax
import jax.numpy as jnp

from temporal_jax.ops import shape_checks


def drop_path(
  key: jax.Array, x: jax.Array, *, rate: float, num_frames: int = 1
) -> jax.Array:
  """Zeroes the branch of some clips and scales the others' branch.

  Args:
    key: Random key.
    x: Branch (B, ...), or (B num_frames, ...) with the frames of a clip next to
      each other, floating point; a clip's frames are kept or dropped together.
    rate: Probability that a clip's branch is dropped, in [0, 1).
    num_frames: Frames folded into the first axis.

  Returns:
    The branch in the shape and dtype of `x`; its expectation is `x`.

  Raises:
    ValueError: If `x` is not floating point, `rate` is out of range, or
      `num_frames` is not an integer of at least 1 that divides the first axis.

  Source: Huang et al. 2016, https://arxiv.org/abs/1603.09382. The reference
    code of ATM and ILA drops token positions of all clips at once, because its
    first axis is the token's; that is not repeated here.
  """
  if not 0 <= rate < 1:
    raise ValueError(f"rate must be in [0, 1), got {rate}.")
  shape_checks.floating(x)
  shape_checks.whole(1, num_frames=num_frames)
  if x.shape[0] % num_frames:
    raise ValueError(f"{num_frames} frames do not divide x {x.shape}.")
  if rate == 0:
    return x
  kept = jax.random.bernoulli(key, 1 - rate, (x.shape[0] // num_frames,))
  # (B T, 1, ..., 1)
  kept = jnp.repeat(kept, num_frames).reshape(x.shape[0], *[1] * (x.ndim - 1))
  return jnp.where(kept, x / (1 - rate), 0).astype(x.dtype)
