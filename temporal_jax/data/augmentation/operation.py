"""The interface of an operation of a recipe."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, Protocol

import jax
import jax.numpy as jnp

Labels = jax.Array | Mapping[str, jax.Array]


class Clip(NamedTuple):
  """One clip on its way through a recipe.

  Attributes:
    frames: (T, H, W, C), RGB or optical flow; uint8, and float32 once
      normalised.
    label: Its label or labels, without the batch's dimension.
    size: (2,) float32, height and width of the frames in true proportion, in
      the pixels that crops are drawn in. The frames may be stretched: they
      are resampled only when they are cropped.
  """

  frames: jax.Array
  label: Labels
  size: jax.Array


class Given(NamedTuple):
  """Facts of the run that operations need.

  Attributes:
    image_size: Side of the model's frames, in pixels.
    mean: Pixel mean of R, G, B, of values in [0, 1]; of optical flow of all
      channels or of each.
    std: Pixel standard deviation, likewise.
    flip_labels: Label of the mirrored clip for each label; () changes none.
  """

  image_size: int
  mean: Sequence[float]
  std: Sequence[float]
  flip_labels: Sequence[int]


class Operation(Protocol):
  """One operation of a recipe; its fields are the arguments in the recipe.

  Attributes:
    stage: "pixels" if it needs uint8 frames, "normalized" if it comes after
      normalisation, "any".
  """

  stage: ClassVar[str]

  def __call__(self, key: jax.Array, clip: Clip, given: Given) -> Clip:
    """Returns the changed clip; all frames share the draws from `key`."""
    ...


def as_frames(values: jax.Array, dtype: Any) -> jax.Array:
  """Rounds float32 values to levels if frames of `dtype` are uint8."""
  if dtype != jnp.uint8:
    return values.astype(dtype)
  return jnp.floor(jnp.clip(values, 0, 255) + 0.5).astype(jnp.uint8)


def is_flow(channels: int) -> bool:
  """Whether frames of so many channels are optical flow: (x, y), (x, y), ..."""
  return channels != 3
