"""Resizing of maps as torch resizes them."""

import jax
import jax.numpy as jnp
import numpy as np

from temporal_jax.ops import shape_checks


def resize_bicubic(x: jax.Array, *, size: tuple[int, int]) -> jax.Array:
  """Resizes maps by bicubic interpolation, without a smoothing filter.

  The kernel has a = -0.75, pixels outside repeat the border, and corners are
  not aligned: torch's `interpolate(mode="bicubic")`, by which position
  embeddings are resized. (jax.image has a = -0.5 and smooths.)

  Args:
    x: Maps (..., H, W, C), floating point.
    size: New rows and columns.

  Returns:
    Maps (..., *size, C) in the dtype of `x`.

  Raises:
    ValueError: If `x` is not floating point or has fewer than three axes, or
      `size` is not two integers of at least 1.

  Source: Keys 1981, Cubic convolution interpolation for digital image
    processing, equation 15 with another a.
  """
  if x.ndim < 3:
    raise ValueError(f"x must be (..., H, W, C), got shape {x.shape}.")
  shape_checks.floating(x)
  shape_checks.sides(size, 1)
  rows, columns = (
    jnp.asarray(_weights(old, new), x.dtype)
    for old, new in zip(x.shape[-3:-1], size, strict=True)
  )
  x = jnp.einsum("ph,...hwc->...pwc", rows, x)
  return jnp.einsum("qw,...pwc->...pqc", columns, x)


def _weights(old: int, new: int) -> np.ndarray:
  """Returns the weight of each old place in every new one, (new, old)."""
  places = (np.arange(new) + 0.5) * old / new - 0.5
  base = np.floor(places).astype(int)
  weights = np.zeros((new, old))
  for tap in (-1, 0, 1, 2):
    index = np.clip(base + tap, 0, old - 1)
    share = _cubic(np.abs(places - (base + tap)))
    np.add.at(weights, (np.arange(new), index), share)
  return weights


def _cubic(distance: np.ndarray, a: float = -0.75) -> np.ndarray:
  """Returns the cubic convolution kernel at distances up to 2."""
  near = ((a + 2) * distance - (a + 3)) * distance**2 + 1
  far = a * (((distance - 5) * distance + 8) * distance - 4)
  return np.where(distance <= 1, near, far)
