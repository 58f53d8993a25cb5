"""Rotary positions of the patches of a frame, and of a clip."""

import math

import jax
import jax.numpy as jnp
import numpy as np

from temporal_jax.ops import shape_checks
from temporal_jax.ops.lowering.accumulation_dtype import wide_dtype, widen
from temporal_jax.validation import check_choice, check_whole

PAIRINGS = ("neighbours", "halves")
_AXES = 3  # Time, rows and columns.


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
    x: Queries or keys (..., N, M, d), floating point: M heads of d channels, d
      a multiple of 4. The patches are row by row; other tokens (the class
      token, registers) are left as they are.
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
    ValueError: If `x` is not floating point, the tokens are fewer than the
      patches, 4 does not divide the channels, `grid`, `extent` or `base` is not
      above 0, `leading` is not an integer of at least 0, or `pairing` is
      unknown.

  Source: Su et al. 2021, https://arxiv.org/abs/2104.09864, section 3.2; Fang et
    al. 2023, https://arxiv.org/abs/2303.11331; class
    `VisionRotaryEmbeddingFast` in eva_clip/rope.py of whwu95/ATM. Centred and
    in halves with extent 4 pi and base 100, Siméoni et al. 2025,
    https://arxiv.org/abs/2508.10104; class `RopePositionEmbedding` in
    dinov3/layers/rope_position_encoding.py of facebookresearch/dinov3.
  """
  if len(grid) != 2:
    raise ValueError(
      f"grid must be the rows and columns of a frame, got {grid}: these rotary "
      "positions do not fit attention over several frames."
    )
  _check_grid(grid, base, extent)
  check_choice("pairing", pairing, PAIRINGS)
  before = 0 if leading is None else leading
  shape_checks.whole(0, leading=before)
  patches = grid[0] * grid[1]
  if x.ndim < 3 or x.shape[-3] < patches + before or x.shape[-1] % 4:
    raise ValueError(
      f"x must be (..., N, M, d) with 4 dividing d and N at least the patches "
      f"of the grid {grid}, got shape {x.shape}."
    )
  shape_checks.floating(x)
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


def space_time_rotary_embedding(
  x: jax.Array,
  *,
  grid: tuple[int, ...],
  base: float = 10000.0,
  leading: int = 0,
) -> jax.Array:
  """Rotates channels by angles that grow with the frame, row and column.

  Of a head's d channels the first w turn by the frame, the next w by the row
  and the next w by the column, w = 2 floor(d / 6); the others stay. Channels 2i
  and 2i + 1 of a part are one complex number, but its real and its imaginary
  part have angles of their own: channel c of a part has place * base^(-2 (c
  mod w / 2) / w),

    out[2i] = x[2i] cos a[2i] - x[2i + 1] sin a[2i]
    out[2i + 1] = x[2i + 1] cos a[2i + 1] + x[2i] sin a[2i + 1]

  as V-JEPA 2 was trained. It is therefore no rotation, and products depend on
  the places themselves as well as on their distance.

  Args:
    x: Queries or keys (..., N, M, d), floating point: M heads of d channels, d
      even and at least 6. The patches are frame by frame, row by row.
    grid: Frames, rows and columns of patches; or rows and columns, which is one
      frame, the first.
    base: Base of the frequencies.
    leading: Tokens before the patches; these and any after them are left as
      they are.

  Returns:
    Tokens in the shape and dtype of `x`.

  Raises:
    ValueError: If `x` is not floating point, the tokens are fewer than the
      patches, d is odd or below 6, `grid` or `base` is not above 0, or
      `leading` is not an integer of at least 0.

  Source: Assran et al. 2025, https://arxiv.org/abs/2506.09985, section 2.1;
    class `RoPEAttention` in src/models/utils/modules.py of
    facebookresearch/vjepa2.
  """
  if len(grid) not in (2, 3):
    raise ValueError(
      f"grid must be rows and columns, or frames, rows and columns, got {grid}."
    )
  _check_grid(grid, base)
  shape_checks.whole(0, leading=leading)
  patches, channels = math.prod(grid), x.shape[-1]
  if (
    x.ndim < 3
    or x.shape[-3] < patches + leading
    or channels % 2
    or channels < 2 * _AXES
  ):
    raise ValueError(
      f"x must be (..., N, M, d) with d even and at least {2 * _AXES} and N at least "
      f"the patches of the grid {grid}, got shape {x.shape}."
    )
  shape_checks.floating(x)
  # (1, ..., N, 1, d)
  shape = (1,) * (x.ndim - 3) + (patches, 1, channels)
  cosines, sines = (
    factors.reshape(shape) for factors in _turns(grid, channels, base, wide_dtype(x))
  )
  before, x_patches, after = jnp.split(x, [leading, leading + patches], axis=-3)
  wide = widen(x_patches)
  pairs = wide.reshape(*wide.shape[:-1], channels // 2, 2)  # (..., d / 2, 2)
  others = pairs[..., ::-1].reshape(wide.shape)  # (..., N, M, d)
  turned = (wide * cosines + others * sines).astype(x.dtype)
  parts = [part for part in (before, turned, after) if part.shape[-3]]
  return jnp.concatenate(parts, axis=-3) if len(parts) > 1 else turned


def _turns(
  grid: tuple[int, ...], channels: int, base: float, dtype: jnp.dtype
) -> tuple[jax.Array, jax.Array]:
  """Returns factors of each channel and of its partner, (T, H, W, d).

  They are joined from one table per axis: a table of all patches would be
  megabytes of constants in each layer.

  Args:
    grid: See `space_time_rotary_embedding`.
    channels: Channels of a head, d.
    base: Base of the frequencies.
    dtype: Dtype of the factors.
  """
  pairs = channels // (2 * _AXES)  # w / 2
  frequencies = np.tile(base ** (-np.arange(pairs) / pairs), 2)
  signs = np.tile((-1.0, 1.0), pairs)  # of the partner's sine
  sides = (1, *grid)[-_AXES:]
  cosines, sines = [], []
  for axis, side in enumerate(sides):
    angles = np.arange(side)[:, None] * frequencies
    shape = [1, 1, 1, 2 * pairs]
    shape[axis] = side  # (T, 1, 1, w), (1, H, 1, w) or (1, 1, W, w)
    for parts, values in (
      (cosines, np.cos(angles)),
      (sines, signs * np.sin(angles)),
    ):
      table = jnp.asarray(values.reshape(shape), dtype)
      parts.append(jnp.broadcast_to(table, (*sides, 2 * pairs)))
  rest = (*sides, channels - 2 * pairs * _AXES)
  cosines.append(jnp.ones(rest, dtype))
  sines.append(jnp.zeros(rest, dtype))
  return jnp.concatenate(cosines, axis=-1), jnp.concatenate(sines, axis=-1)


def _check_grid(
  grid: tuple[int, ...], base: float, extent: float | None = None
) -> None:
  """Raises ValueError unless the settings of positions are above 0."""
  for side in grid:
    check_whole("each side of grid", side, 1)
  for name, value in (("extent", extent), ("base", base)):
    if value is not None and not 0 < value < math.inf:
      raise ValueError(f"{name} must be a finite number above 0, got {value}.")


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
