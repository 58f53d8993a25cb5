"""Shape checks shared by the operators; they run at trace time."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from temporal_jax.validation import check_whole, is_whole


def floating(x: jax.Array, name: str = "x") -> None:
  """Raises ValueError unless `x`, the argument `name`, is floating point."""
  if not jnp.issubdtype(x.dtype, jnp.floating):
    raise ValueError(f"{name} must be floating point, got {x.dtype} {x.shape}.")


def video(x: jax.Array) -> None:
  """Raises ValueError unless `x` is floating point and (B, T, H, W, C)."""
  if x.ndim != 5:
    raise ValueError(f"x must be (B, T, H, W, C), got shape {x.shape}.")
  floating(x)


def frames(x: jax.Array) -> None:
  """Raises ValueError unless `x` is floating point and (B, T, ..., C)."""
  if x.ndim < 3:
    raise ValueError(f"x must be (B, T, ..., C), got shape {x.shape}.")
  floating(x)


def tokens(x: jax.Array, name: str = "x") -> None:
  """Raises ValueError unless `x` is floating point and (B, T, N, D)."""
  if x.ndim != 4:
    raise ValueError(f"{name} must be (B, T, N, D), got shape {x.shape}.")
  floating(x, name)


def same_channels(x: jax.Array, kernel: jax.Array, *, axis: int) -> None:
  """Raises ValueError unless `kernel` has the channels of `x` on `axis`."""
  if kernel.shape[axis] != x.shape[-1]:
    raise ValueError(f"channels differ: kernel {kernel.shape}, x {x.shape}.")


def taps(kernel: jax.Array, *, causal: bool) -> None:
  """Raises ValueError unless `kernel` is (K, C), K odd or causal."""
  if kernel.ndim != 2 or not len(kernel):
    raise ValueError(f"kernel must be (K, C), got shape {kernel.shape}.")
  if not causal and len(kernel) % 2 == 0:
    raise ValueError(f"kernel must be (odd K, C), got shape {kernel.shape}.")


def odd(name: str, value: int) -> None:
  """Raises ValueError unless `value`, the argument `name`, is odd and > 0."""
  if not is_whole(value) or value < 1 or value % 2 == 0:
    raise ValueError(f"{name} must be odd and positive, got {value!r}.")


def sides(size: Sequence[int], low: int) -> None:
  """Raises ValueError unless `size` is rows and columns of at least `low`."""
  if len(size) != 2:
    raise ValueError(f"size must be (rows, columns), got {size}.")
  for side in size:
    check_whole("each side of size", side, low)


def given_or(default: int, **argument: int | None) -> int:
  """Returns an argument, or `default` if it is None.

  Raises:
    ValueError: If it is neither None nor an integer of at least 1.
  """
  ((name, value),) = argument.items()
  if value is None:
    return default
  check_whole(name, value, 1)
  return value


def whole(low: int, **values: int) -> None:
  """Raises ValueError unless all are whole numbers of at least `low`."""
  for name, value in values.items():
    check_whole(name, value, low)
