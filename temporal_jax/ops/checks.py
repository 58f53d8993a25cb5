"""Shape checks shared by the operators; they run at trace time."""

import jax
import jax.numpy as jnp


def _floating(x: jax.Array) -> None:
  if not jnp.issubdtype(x.dtype, jnp.floating):
    raise ValueError(f"x must be floating point, got {x.dtype} {x.shape}.")


def video(x: jax.Array) -> None:
  """Raises ValueError unless `x` is floating point and (B, T, H, W, C)."""
  if x.ndim != 5:
    raise ValueError(f"x must be (B, T, H, W, C), got shape {x.shape}.")
  _floating(x)


def frames(x: jax.Array) -> None:
  """Raises ValueError unless `x` is floating point and (B, T, ..., C)."""
  if x.ndim < 3:
    raise ValueError(f"x must be (B, T, ..., C), got shape {x.shape}.")
  _floating(x)
