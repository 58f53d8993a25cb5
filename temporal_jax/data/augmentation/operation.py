"""What an operation of a recipe takes and gives."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, Protocol

import jax
import jax.numpy as jnp

Labels = jax.Array | Mapping[str, jax.Array]


class Clip(NamedTuple):
  """One clip on its way through a recipe.

  Attributes:
    frames: (T, H, W, 3); uint8, and float32 once normalised.
    label: Its label or labels, without the batch's dimension.
    size: (2,) float32, height and width of the frames in true proportion, in
      the pixels that crops are drawn in. The frames may be stretched: they
      are resampled only when they are cropped.
  """

  frames: jax.Array
  label: Labels
  size: jax.Array


class Given(NamedTuple):
  """What operations know of the run.

  Attributes:
    image_size: Side of the model's frames, in pixels.
    mean: Pixel mean of R, G, B, of values in [0, 1].
    std: Pixel standard deviation, likewise.
    flip_labels: Label of the mirrored clip for each label; () changes none.
  """

  image_size: int
  mean: Sequence[float]
  std: Sequence[float]
  flip_labels: Sequence[int]


class Operation(Protocol):
  """One operation of a recipe; its fields are what the recipe may say.

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


def check_number(name: str, value: Any, low: float, high: float = float("inf")) -> None:
  """Raises ValueError unless `value` is a number in [low, high]."""
  number = isinstance(value, int | float) and not isinstance(value, bool)
  if not number or not low <= value <= high:
    raise ValueError(f"{name} must be a number in [{low}, {high}], got {value!r}.")


def check_whole(name: str, value: Any, low: int) -> None:
  """Raises ValueError unless `value` is an integer of at least `low`."""
  if type(value) is not int or value < low:
    raise ValueError(f"{name} must be an integer of at least {low}, got {value!r}.")


def check_range(name: str, value: Any, low: float, high: float) -> None:
  """Raises ValueError unless `value` is (a, b), low < a <= b <= high."""
  if not isinstance(value, tuple | list) or len(value) != 2:
    raise ValueError(f"{name} must be (lowest, highest), got {value!r}.")
  for bound in value:
    check_number(name, bound, low, high)
  if not low < value[0] <= value[1]:
    raise ValueError(f"{name} must be {low} < lowest <= highest, got {value!r}.")


def check_choice(name: str, value: Any, allowed: Sequence[Any]) -> None:
  """Raises ValueError unless `value` is one of `allowed`."""
  if value not in allowed:
    raise ValueError(f"{name} must be one of {list(allowed)}, got {value!r}.")
