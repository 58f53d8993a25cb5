"""Brightness, contrast, colour and sharpness, as PIL's ImageEnhance."""

import jax
import jax.numpy as jnp


def blend(dull: jax.Array, frames: jax.Array, factor: jax.Array) -> jax.Array:
  """Returns dull + factor * (frames - dull), cut off to whole levels.

  PIL rounds the product to float32; where that makes a whole level fall short,
  as factor 0.6 does in 1 % of all pairs, it is one level darker.

  Args:
    dull: Levels in [0, 255], of the shape of `frames` or (..., 1).
    frames: Levels, uint8 or int32.
    factor: 0 gives `dull`, 1 `frames`, more than 1 the contrary of `dull`.

  Returns:
    uint8 levels of the shape of `frames`.
  """
  dull, frames = dull.astype(jnp.float32), frames.astype(jnp.float32)
  # Fused products fall just short of a whole level, which is not to be cut off.
  values = dull + factor * (frames - dull) + 1e-4
  return jnp.clip(values, 0, 255).astype(jnp.uint8)


def gray(frames: jax.Array) -> jax.Array:
  """Maps uint8 (..., 3) to the levels (..., 1) of PIL's mode L, as int32."""
  weights = jnp.asarray((19595, 38470, 7471), jnp.int32)  # Parts of 65536.
  shape = (1,) * (frames.ndim - 1) + (3,)
  weighted = frames.astype(jnp.int32) * weights.reshape(shape)
  return (jnp.sum(weighted, axis=-1, keepdims=True) + 0x8000) >> 16


def mean_gray(frames: jax.Array) -> jax.Array:
  """Mean level of each frame (T, H, W, 3), rounded: (T, 1, 1, 1) int32."""
  levels = gray(frames)
  count = levels.shape[1] * levels.shape[2]
  total = jnp.sum(levels, axis=(1, 2, 3), keepdims=True)
  return (2 * total + count) // (2 * count)


def smooth(frames: jax.Array) -> jax.Array:
  """PIL's SMOOTH: a 3 x 3 mean, the centre five times; edges stay.

  Args:
    frames: (T, H, W, 3) uint8.

  Returns:
    Levels of the same shape, int32.
  """
  levels = frames.astype(jnp.int32)
  height, width = frames.shape[1:3]
  if min(height, width) < 3:
    return levels
  rows = levels[:, :-2] + levels[:, 1:-1] + levels[:, 2:]
  total = rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:]
  total = total + 4 * levels[:, 1:-1, 1:-1]
  inner = (2 * total + 13) // 26  # Rounded thirteenths.
  return levels.at[:, 1:-1, 1:-1].set(inner)
