"""Shape checks shared by the operators; they run at trace time."""

import numbers

import jax
import jax.numpy as jnp


def floating(x: jax.Array) -> None:
  """Raises ValueError unless `x` is floating point."""
  if not jnp.issubdtype(x.dtype, jnp.floating):
    raise ValueError(f"x must be floating point, got {x.dtype} {x.shape}.")


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


def tokens(x: jax.Array) -> None:
  """Raises ValueError unless `x` is floating point and (B, T, N, D)."""
  if x.ndim != 4:
    raise ValueError(f"x must be (B, T, N, D), got shape {x.shape}.")
  floating(x)


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
  if not isinstance(value, numbers.Integral) or value < 1 or value % 2 == 0:
    raise ValueError(f"{name} must be odd and positive, got {value!r}.")


def whole(low: int, **values: int) -> None:
  """Raises ValueError unless all are whole numbers of at least `low`."""
  for name, value in values.items():
    is_whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not is_whole or value < low:
      raise ValueError(f"{name} must be an integer of at least {low}, got {value!r}.")
