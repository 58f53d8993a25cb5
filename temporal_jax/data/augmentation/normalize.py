"""Normalises uint8 pixels by mean and standard deviation."""

import dataclasses
from collections.abc import Sequence
from typing import ClassVar

import jax
import jax.numpy as jnp

from temporal_jax.data.augmentation.operation import Clip, Given

# For optical flow in grey pictures, where 127.5 is no motion: all channels.
# Source: IBM/bLVNet-TAM, train.py: the deviation is the mean of RGB's.
FLOW_PIXELS = {"mean": (0.5,), "std": (0.226,)}


def normalize(
  clip: jax.Array,
  mean: Sequence[float],
  std: Sequence[float],
  dtype: jax.typing.DTypeLike = jnp.float32,
) -> jax.Array:
  """Maps uint8 pixels (..., C) to (pixel / 255 - mean) / std."""
  shape = (1,) * (clip.ndim - 1) + (-1,)
  mean = jnp.asarray(mean, jnp.float32).reshape(shape)
  std = jnp.asarray(std, jnp.float32).reshape(shape)
  pixels = clip.astype(jnp.float32) / 255
  return ((pixels - mean) / std).astype(dtype)


@dataclasses.dataclass(frozen=True)
class Normalize:
  """Maps pixels to (pixel / 255 - mean) / std."""

  stage: ClassVar[str] = "pixels"

  def __call__(self, key: jax.Array, clip: Clip, given: Given) -> Clip:
    """Returns the clip in float32; it takes nothing from `key`."""
    del key
    return clip._replace(frames=normalize(clip.frames, given.mean, given.std))
