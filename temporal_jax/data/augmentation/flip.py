"""Mirroring of clips, and of the labels that have a direction."""

import dataclasses
import re
from collections.abc import Sequence
from typing import ClassVar

import jax
import jax.numpy as jnp

from temporal_jax.data.augmentation.normalize import normalize
from temporal_jax.data.augmentation.operation import Clip, Given, is_flow
from temporal_jax.validation import check_choice, check_number


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
      f"flip pairs name the unknown classes {unknown}; there are {list(class_names)}."
    )
  if len(swapped) != 2 * len(pairs):
    raise ValueError(f"flip pairs name a class twice: {list(pairs)}.")
  return tuple(class_names.index(swapped.get(name, name)) for name in class_names)


def directed(class_names: Sequence[str]) -> list[str]:
  """Returns the names that contain "left" or "right"."""
  word = re.compile(r"\b(left|right)\b", re.IGNORECASE)
  return [name for name in class_names if word.search(name)]


@dataclasses.dataclass(frozen=True)
class Flip:
  """Mirrors clips left to right, and swaps the labels that it turns around.

  Of optical flow, frames of more than three channels, the horizontal part
  changes its sign: every other channel, the first among them.

  Attributes:
    probability: That a clip is mirrored.
    keep_labels: Whether labels stay as they are even where classes have a
      direction, as in bLVNet-TAM's code.

  Source of the sign: `GroupRandomHorizontalFlip` of IBM/bLVNet-TAM.
  """

  stage: ClassVar[str] = "any"
  probability: float = 0.5
  keep_labels: bool = False

  def __post_init__(self) -> None:
    check_number("probability", self.probability, 0, 1)
    check_choice("keep_labels", self.keep_labels, (True, False))

  def __call__(self, key: jax.Array, clip: Clip, given: Given) -> Clip:
    """Returns the clip, mirrored or not."""
    chosen = jax.random.bernoulli(key, self.probability)
    mirrored = clip.frames[..., ::-1, :]
    if is_flow(mirrored.shape[-1]):
      mirrored = _turned(mirrored, given)
    clip = clip._replace(frames=jnp.where(chosen, mirrored, clip.frames))
    if self.keep_labels or not given.flip_labels:
      return clip
    permuted = jnp.asarray(given.flip_labels, clip.label.dtype)[clip.label]
    return clip._replace(label=jnp.where(chosen, permuted, clip.label))


def _turned(frames: jax.Array, given: Given) -> jax.Array:
  """Returns mirrored flow (T, H, W, 2 P) with the sign of its x parts changed.

  A level v of uint8 becomes 255 - v, and a normalised value the normalised
  255 - v.
  """
  ends = jnp.asarray((0, 255), jnp.uint8).reshape(2, 1, 1, 1)
  if frames.dtype != jnp.uint8:
    ends = normalize(ends, given.mean, given.std, frames.dtype)
  turned = ends[:1] + ends[1:] - frames
  is_x = jnp.arange(frames.shape[-1]).reshape(1, 1, 1, -1) % 2 == 0
  return jnp.where(is_x, turned, frames)
