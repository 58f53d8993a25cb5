"""Rotary positions of the patches of a frame."""

import math

import jax
import jax.numpy as jnp
import numpy as np

from temporal_jax.ops.lowering.accumulation_dtype import wide_dtype, widen
from temporal_jax.validation import check_choice, check_whole

PAIRINGS = ("neighbours", "halves")


def rotary_embedding(
  x: jax.Array,
  *,
  grid: tuple[int, int],
  extent: float | None = None,
  base: float = 10000.0,
  centred: bool = False,
  pairing: str = "neighbours",
  leading: int | None = None,
) -> jax.Array:
  """Rotates pairs of channels by angles that grow with the patch's place.

  Two channels are one complex number. The first half of a head's d / 2 numbers
  turns by row * base^(-4i / d), the second half by the column likewise: the
  product of a query and a key then depends on the distance of their patches.

  Args:
    x: Queries or keys (..., N, M, d): M heads of d channels, d a multiple of 4.
      The patches are row by row; other tokens (the class token, registers) are
      left as they are.
    grid: Rows and columns of patches.
    extent: Number of rows, and of columns, that the positions of every grid are
      scaled to, so that larger grids are interpolated; None counts patches.
    base: Base of the frequencies.
    centred: Whether positions count from the middle of the frame to the middle
      of the patch, instead of from the first patch.
    pairing: Channels of one number: "neighbours" 2i and 2i + 1 (EVA-02), or i
      and i + d / 2 of two "halves" (DINOv3).
    leading: Tokens before the patches; by default as many as let the patches be
      the last tokens.

  Returns:
    Tokens in the shape and dtype of `x`.

  Raises:
    ValueError: If the tokens are fewer than the patches, 4 does not divide the
      channels, `grid`, `extent` or `base` is not above 0, or `pairing` is
      unknown.

  Source: Su et al. 2021, https://arxiv.org/abs/2104.09864, section 3.2; Fang et
    al. 2023, https://arxiv.org/abs/2303.11331; class
    `VisionRotaryEmbeddingFast` in eva_clip/rope.py of whwu95/ATM. Centred and
    in halves with extent 4 pi and base 100, Siméoni et al. 2025,
    https://arxiv.org/abs/2508.10104; class `RopePositionEmbedding` in
    dinov3/layers/rope_position_encoding.py of facebookresearch/dinov3.
  """
  for side in grid:
    check_whole("each side of grid", side, 1)
  for name, value in (("extent", extent), ("base", base)):
    if value is not None and not 0 < value < math.inf:
      raise ValueError(f"{name} must be a finite number above 0, got {value}.")
  check_choice("pairing", pairing, PAIRINGS)
  patches = grid[0] * grid[1]
  if x.ndim < 3 or x.shape[-3] < patches + (leading or 0) or x.shape[-1] % 4:
    raise ValueError(
      f"x must be (..., N, M, d) with 4 dividing d and N at least the patches "
      f"of the grid {grid}, got shape {x.shape}."
    )
  others = x.shape[-3] - patches
  leading = others if leading is None else leading
  angles = _angles(grid, x.shape[-1] // 4, extent, base, centred)
  angles = np.pad(angles, ((leading, others - leading), (0, 0)))
  # (1, ..., N, 1, d / 2)
  shape = (1,) * (x.ndim - 3) + (len(angles), 1, angles.shape[1])
  cosines, sines = (
    jnp.asarray(f(angles).reshape(shape), wide_dtype(x)) for f in (np.cos, np.sin)
  )
  if pairing == "halves":
    real, imaginary = jnp.split(widen(x), 2, axis=-1)
  else:
    pairs = widen(x).reshape(*x.shape[:-1], x.shape[-1] // 2, 2)  # (..., d / 2, 2)
    real, imaginary = pairs[..., 0], pairs[..., 1]
  turned = (
    real * cosines - imaginary * sines,
    real * sines + imaginary * cosines,
  )
  if pairing == "halves":
    return jnp.concatenate(turned, axis=-1).astype(x.dtype)
  out = jnp.stack(turned, axis=-1)
  return out.reshape(x.shape).astype(x.dtype)  # (..., N, M, d)


def _angles(
  grid: tuple[int, int],
  count: int,
  extent: float | None,
  base: float,
  centred: bool,
) -> np.ndarray:
  """Returns the angle of each of 2 * count pairs at every patch, (H W, .)."""
  frequencies = base ** (-np.arange(count) / count)
  rows, columns = (
    (np.arange(side) + (0.5 - side / 2) * centred)
    * (1.0 if extent is None else extent / side)
    for side in grid
  )
  angles = np.zeros((*grid, 2, count))
  angles[:, :, 0] = rows[:, None, None] * frequencies
  angles[:, :, 1] = columns[None, :, None] * frequencies
  return angles.reshape(-1, 2 * count)  # (H W, d / 2)
