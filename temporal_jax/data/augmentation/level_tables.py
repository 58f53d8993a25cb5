"""Per-pixel changes such as Solarize, as tables of 256 levels."""

import jax
import jax.numpy as jnp

from temporal_jax.data.augmentation import blend


def places(frames: jax.Array) -> jax.Array:
  """Places of the pixels (T, H, W, 3) in flat tables (T, 3, 256), int32."""
  count, _, _, channels = frames.shape
  start = 256 * jnp.arange(count * channels, dtype=jnp.int32)
  return start.reshape(count, 1, 1, channels) + frames.astype(jnp.int32)


def tables(
  frames: jax.Array, at: jax.Array, which: jax.Array, amount: jax.Array
) -> jax.Array:
  """Tables of the new value of each level, by PIL's ImageOps and ImageEnhance.

  AutoContrast, Equalize and Contrast look at each frame by itself.

  Args:
    frames: (T, H, W, 3) uint8.
    at: Their `places`.
    which: Place in `_TABLES` below; others change nothing.
    amount: Bits kept by posterize, threshold of solarize, levels added by
      solarize_add, factor of contrast and brightness; nothing else has one.

  Returns:
    (T, 3, 256) uint8.
  """
  count = frames.shape[0]
  length = count * 3 * 256
  histogram = jnp.bincount(at.ravel(), length=length).reshape(count, 3, 256)
  levels = jnp.broadcast_to(jnp.arange(256, dtype=jnp.int32), histogram.shape)
  mean = blend.mean_gray(frames)[..., 0]
  made = [
    table(levels, histogram.astype(jnp.int32), mean, amount)
    for table in _TABLES.values()
  ]
  made.append(levels)
  return jnp.stack(made)[jnp.minimum(which, len(_TABLES))].astype(jnp.uint8)


def _auto_contrast(levels, histogram, mean, amount):
  """The lowest level becomes 0 and the highest 255."""
  low, high = _extremes(histogram)
  stretched = (levels - low) * 255 // jnp.maximum(high - low, 1)
  return jnp.where(high > low, jnp.clip(stretched, 0, 255), levels)


def _equalize(levels, histogram, mean, amount):
  """All levels become as frequent."""
  _, high = _extremes(histogram)
  above = jnp.sum(jnp.where(levels < high, histogram, 0), -1, keepdims=True)
  step = above // 255
  before = jnp.cumsum(histogram, axis=-1) - histogram
  even = (step // 2 + before) // jnp.maximum(step, 1)
  return jnp.where(step > 0, jnp.minimum(even, 255), levels)


def _invert(levels, histogram, mean, amount):
  return 255 - levels


def _posterize(levels, histogram, mean, amount):
  """The highest `amount` bits stay."""
  lost = 8 - amount.astype(jnp.int32)
  return (levels >> lost) << lost


def _solarize(levels, histogram, mean, amount):
  """Levels from `amount` on are inverted."""
  return jnp.where(levels < amount.astype(jnp.int32), levels, 255 - levels)


def _solarize_add(levels, histogram, mean, amount):
  """`amount` is added to levels below 128."""
  brighter = jnp.minimum(levels + amount.astype(jnp.int32), 255)
  return jnp.where(levels < 128, brighter, levels)


def _contrast(levels, histogram, mean, amount):
  return blend.blend(mean, levels, amount).astype(jnp.int32)


def _brightness(levels, histogram, mean, amount):
  return blend.blend(jnp.zeros_like(levels), levels, amount).astype(jnp.int32)


def _extremes(histogram: jax.Array) -> tuple[jax.Array, jax.Array]:
  """Lowest and highest level met, (T, 3, 1)."""
  met = histogram > 0
  low = jnp.argmax(met, axis=-1, keepdims=True)
  high = 255 - jnp.argmax(met[..., ::-1], axis=-1, keepdims=True)
  return low.astype(jnp.int32), high.astype(jnp.int32)


_TABLES = {
  "AutoContrast": _auto_contrast,
  "Equalize": _equalize,
  "Invert": _invert,
  "Posterize": _posterize,
  "Solarize": _solarize,
  "SolarizeAdd": _solarize_add,
  "Contrast": _contrast,
  "Brightness": _brightness,
}
NAMES = tuple(_TABLES)
