"""Rotation, shear and translation of frames, as PIL's `Image.transform`."""

import jax
import jax.numpy as jnp


def matrix(name_place: jax.Array, amount: jax.Array, size: jax.Array) -> jax.Array:
  """Matrix of `NAMES[name_place]`, or of nothing for another place.

  Args:
    name_place: Scalar int32.
    amount: Degrees of Rotate, pixels across per pixel along of Shear, share of
      the frame's width or height of Translate.
    size: (2,) float32, height and width, in pixels.

  Returns:
    (2, 3) float32: a place (x, y) of the result shows the frame at (a x + b y +
    c, d x + e y + f), in pixels from the upper left corner.
  """
  height, width = size[0], size[1]
  zero, one = jnp.zeros_like(amount), jnp.ones_like(amount)
  angle = -jnp.deg2rad(amount)
  cos, sin = jnp.cos(angle), jnp.sin(angle)
  x, y = width / 2, height / 2
  made = (
    (cos, sin, x - cos * x - sin * y, -sin, cos, y + sin * x - cos * y),
    (one, amount, zero, zero, one, zero),
    (one, zero, zero, amount, one, zero),
    (one, zero, amount * width, zero, one, zero),
    (one, zero, zero, zero, one, amount * height),
    (one, zero, zero, zero, one, zero),
  )
  made = jnp.stack([jnp.stack(row) for row in made])
  return made[jnp.minimum(name_place, len(NAMES))].reshape(2, 3)


NAMES = ("Rotate", "ShearX", "ShearY", "TranslateXRel", "TranslateYRel")


def stretched(matrix: jax.Array, size: jax.Array, shape: tuple[int, int]) -> jax.Array:
  """The same map for frames of `size` that are stretched to `shape`."""
  x, y = shape[1] / size[1], shape[0] / size[0]
  one = jnp.ones_like(x)
  factors = jnp.stack([one, x / y, x, y / x, one, y]).reshape(2, 3)
  return matrix * factors


def transform(
  frames: jax.Array, matrix: jax.Array, *, fill: jax.Array, cubic: jax.Array
) -> jax.Array:
  """Applies an affine map.

  The four by four neighbours of a place are gathered, each for all frames and
  channels at once, as these are next to each other in memory.

  Args:
    frames: (T, H, W, 3) uint8.
    matrix: (2, 3), see `matrix`.
    fill: (3,), levels where the frame does not reach.
    cubic: Whether to interpolate by PIL's bicubic filter (a = -1), else
      linearly.

  Returns:
    Frames of the same shape, uint8, cut off to whole levels as PIL does.
  """
  count, height, width, channels = frames.shape
  pixels = frames.transpose(1, 2, 0, 3).reshape(height * width, -1)
  x = jnp.arange(width, dtype=jnp.float32)[None] + 0.5
  y = jnp.arange(height, dtype=jnp.float32)[:, None] + 0.5
  from_x, from_y = (row[0] * x + row[1] * y + row[2] for row in matrix)
  # Floats may miss the edge of a frame by a little.
  slack = 1e-3
  inside = (from_x > -slack) & (from_x < width + slack)
  inside &= (from_y > -slack) & (from_y < height + slack)
  columns, column_weights = _taps(from_x, width, cubic)
  rows, row_weights = _taps(from_y, height, cubic)
  values = jnp.zeros((height * width, count * channels), jnp.float32)
  for row, row_weight in zip(rows, row_weights, strict=True):
    for column, column_weight in zip(columns, column_weights, strict=True):
      taken = pixels[(row * width + column).ravel()].astype(jnp.float32)
      values += (row_weight * column_weight).reshape(-1, 1) * taken
  # A whole level must not be cut off to the one below.
  values = jnp.floor(jnp.clip(values + slack, 0, 255)).astype(jnp.uint8)
  values = values.reshape(height, width, count, channels)
  fill = fill.astype(jnp.uint8).reshape(1, 1, 1, -1)
  values = jnp.where(inside[:, :, None, None], values, fill)
  return values.transpose(2, 0, 1, 3)


def _taps(
  places: jax.Array, length: int, cubic: jax.Array
) -> tuple[list[jax.Array], list[jax.Array]]:
  """Indices and weights of the four pixels around each place, on one axis."""
  places = places - 0.5
  first = jnp.floor(places + 1e-4)
  d = jnp.maximum(places - first, 0.0)
  bicubic = (
    d * (d * (2 - d) - 1),
    d * d * (d - 2) + 1,
    d * (d * (1 - d) + 1),
    d * d * (d - 1),
  )
  linear = (jnp.zeros_like(d), 1 - d, d, jnp.zeros_like(d))
  weights = [jnp.where(cubic, a, b) for a, b in zip(bicubic, linear, strict=True)]
  indices = [
    jnp.clip(first.astype(jnp.int32) + offset, 0, length - 1) for offset in range(-1, 3)
  ]
  return indices, weights
