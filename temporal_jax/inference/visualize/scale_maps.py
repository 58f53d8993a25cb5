"""Scales the maps of a layer to [0, 1], one per frame of a clip."""

import jax
import jax.numpy as jnp
import numpy as np


def frames_of(count: int, num_frames: int) -> np.ndarray:
  """Returns the frames of a clip that the places of a layer represent.

  With a stride along time these are every second, every fourth..., from the
  first one on. (In bLVNet's big branches it is the frame after each of them.)

  Args:
    count: Places of the layer along time, T'.
    num_frames: Frames of the clip, T.

  Returns:
    Frames (T',), in [0, T).
  """
  return np.arange(count) * -(-num_frames // count)


def over_time(maps: jax.Array, num_frames: int) -> jax.Array:
  """Interpolates maps (T', ...) linearly to all frames (T, ...).

  Frames after the last place of `frames_of` get the map of that place.
  """
  count = len(maps)
  if count == num_frames:
    return maps
  places, shares = frames_of(count, num_frames), np.eye(count)
  weights = [np.interp(np.arange(num_frames), places, row) for row in shares]
  return jnp.einsum("st,s...->t...", jnp.asarray(weights, maps.dtype), maps)


def scaled(maps: jax.Array) -> jax.Array:
  """Divides maps >= 0 by the largest value; all zeros stay zero."""
  largest = jnp.max(maps)
  return maps / jnp.where(largest > 0, largest, 1)


def stretched(maps: jax.Array) -> jax.Array:
  """Brings maps to [0, 1], the smallest value to 0; equal ones to 0."""
  return scaled(maps - jnp.min(maps))
