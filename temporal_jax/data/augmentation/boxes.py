"""Boxes drawn by area and aspect, and boxes on stretched frames."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from temporal_jax.data.augmentation.operation import Clip

_TRIES = 10  # As many as the references draw before they give up.


def draw_sides(
  key: jax.Array,
  size: jax.Array,
  *,
  area: Sequence[float],
  aspect: Sequence[float],
  log_aspect: bool,
) -> tuple[jax.Array, jax.Array]:
  """Draws ten boxes by their share of the area and width over height.

  Args:
    key: Random key.
    size: (2,) float32, height and width of the whole, in pixels.
    area: Smallest and largest share, drawn uniformly.
    aspect: Smallest and largest width / height.
    log_aspect: Whether the logarithm of the aspect is uniform, else itself.

  Returns:
    Heights (10,) and widths (10,), float32, rounded to pixels.
  """
  area_key, aspect_key = jax.random.split(key)
  shape = (_TRIES,)
  shares = jax.random.uniform(area_key, shape, minval=area[0], maxval=area[1])
  areas = shares * jnp.prod(size)
  low, high = aspect
  if log_aspect:
    low, high = jnp.log(jnp.float32(low)), jnp.log(jnp.float32(high))
  aspects = jax.random.uniform(aspect_key, shape, minval=low, maxval=high)
  if log_aspect:
    aspects = jnp.exp(aspects)
  heights = jnp.round(jnp.sqrt(areas / aspects))
  return heights, jnp.round(jnp.sqrt(areas * aspects))


def draw_offset(key: jax.Array, most: jax.Array) -> jax.Array:
  """Draws a whole number of 0 to `most`, as float32."""
  count = jnp.maximum(most, 0.0).astype(jnp.int32) + 1
  return jax.random.randint(key, (), 0, count).astype(jnp.float32)


def on_canvas(clip: Clip, box: Sequence[jax.Array]) -> jax.Array:
  """Maps top, left, height and width from true pixels to the frames' own."""
  stretch = jnp.asarray(clip.frames.shape[1:3], jnp.float32) / clip.size
  return jnp.stack(list(box)) * jnp.tile(stretch, 2)
