"""Augmentation and normalisation of uint8 clips on the device, inside jit."""

import dataclasses
from collections.abc import Sequence

import dm_pix
import jax
import jax.numpy as jnp


def flipped_labels(
  class_names: Sequence[str], pairs: Sequence[tuple[str, str]]
) -> tuple[int, ...]:
  """Returns for each label the label of the mirrored clip.

  Args:
    class_names: Names of the L classes.
    pairs: Classes that become each other, e.g. (("pan left", "pan right"),).

  Raises:
    ValueError: If a pair names an unknown class, or a class twice.
  """
  swapped = dict(pairs) | {b: a for a, b in pairs}
  unknown = sorted(set(swapped) - set(class_names))
  if unknown:
    raise ValueError(
      f"flip pairs name {unknown}, the classes are {list(class_names)}."
    )
  if len(swapped) != 2 * len(pairs):
    raise ValueError(f"flip pairs name a class twice: {list(pairs)}.")
  return tuple(
    class_names.index(swapped.get(name, name)) for name in class_names
  )


def normalize(
  clip: jax.Array,
  mean: Sequence[float],
  std: Sequence[float],
  dtype: jax.typing.DTypeLike = jnp.float32,
) -> jax.Array:
  """Maps uint8 pixels (..., 3) to (pixel / 255 - mean) / std."""
  shape = (1,) * (clip.ndim - 1) + (-1,)
  mean = jnp.asarray(mean, jnp.float32).reshape(shape)
  std = jnp.asarray(std, jnp.float32).reshape(shape)
  pixels = clip.astype(jnp.float32) / 255
  return ((pixels - mean) / std).astype(dtype)


def flip(
  key: jax.Array, clip: jax.Array, label: jax.Array, permutation: Sequence[int]
) -> tuple[jax.Array, jax.Array]:
  """Mirrors half of the clips left to right, all frames of a clip alike.

  Args:
    key: Random key.
    clip: (B, T, H, W, C).
    label: (B,) int32.
    permutation: Label of the mirrored clip for each label (L,).

  Returns:
    Clips and labels of the same shapes.
  """
  chosen = jax.random.bernoulli(key, shape=label.shape)
  mirrored = jnp.flip(clip, axis=3)
  clip = jnp.where(chosen[:, None, None, None, None], mirrored, clip)
  permuted = jnp.asarray(permutation, label.dtype)[label]
  return clip, jnp.where(chosen, permuted, label)


def jitter_color(key: jax.Array, clip: jax.Array, strength: float) -> jax.Array:
  """Changes contrast and brightness at random, all frames of a clip alike.

  Args:
    key: Random key.
    clip: (B, T, H, W, 3) uint8.
    strength: Brightness moves by up to this share of white, contrast by up to
      this share of itself; in [0, 1].

  Returns:
    Clips of the same shape and dtype.
  """
  lower, upper = 1.0 - strength, 1.0 + strength

  def one_clip(key: jax.Array, frames: jax.Array) -> jax.Array:
    contrast, brightness = jax.random.split(key)
    factor = jax.random.uniform(contrast, minval=lower, maxval=upper)
    delta = jax.random.uniform(brightness, minval=-strength, maxval=strength)
    frames = dm_pix.adjust_contrast(frames, factor)
    return dm_pix.adjust_brightness(frames, delta)

  keys = jax.random.split(key, clip.shape[0])
  pixels = jax.vmap(one_clip)(keys, clip.astype(jnp.float32) / 255)
  return jnp.round(255 * jnp.clip(pixels, 0, 1)).astype(clip.dtype)


@dataclasses.dataclass(frozen=True)
class Augmentation:
  """Random changes of training clips, then normalisation.

  Called as `augmentation(key, clip, label) -> (clip, label)` inside jit.

  Attributes:
    mean: Pixel mean of R, G, B, of values in [0, 1].
    std: Pixel standard deviation, likewise.
    flip_labels: Label of the mirrored clip for each label; () flips nothing.
    color_jitter: Strength of `jitter_color`; 0 for none.
  """

  mean: Sequence[float]
  std: Sequence[float]
  flip_labels: Sequence[int] = ()
  color_jitter: float = 0.0

  def __call__(
    self, key: jax.Array, clip: jax.Array, label: jax.Array
  ) -> tuple[jax.Array, jax.Array]:
    """Maps uint8 clips (B, T, H, W, 3) to float32 ones, labels to labels."""
    flip_key, color_key = jax.random.split(key)
    if self.flip_labels:
      clip, label = flip(flip_key, clip, label, self.flip_labels)
    if self.color_jitter:
      clip = jitter_color(color_key, clip, self.color_jitter)
    return normalize(clip, self.mean, self.std), label
