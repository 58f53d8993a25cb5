"""RandAugment, configured by the strings of timm."""

import dataclasses
import re
from typing import ClassVar

import jax
import jax.numpy as jnp

from temporal_jax.data.augmentation import image_operations
from temporal_jax.data.augmentation.operation import Clip, Given
from temporal_jax.data.augmentation.resample import METHODS
from temporal_jax.validation import check_choice, check_number

_SPEC = re.compile(
  r"rand-m(\d+(?:\.\d+)?)-n(\d+)(?:-mstd(\d+(?:\.\d+)?))?(?:-inc([01]))?"
)


@dataclasses.dataclass(frozen=True)
class RandAugment:
  """A few operations, each drawn anew of fifteen, on all frames of a clip.

  Each is applied with probability 1 / 2, at a level drawn for it.

  Attributes:
    spec: "rand-m7-n4-mstd0.5-inc1": mean of the level (of 10), number of
      operations, standard deviation of the level (0 if left out), whether more
      is stronger for all operations (0 if left out).
    fill: Level, or levels of R, G and B, where a moved frame does not reach.
    method: "bicubic" or "bilinear".

  Source: Cubuk et al. 2019, https://arxiv.org/abs/1909.13719;
    dataset/rand_augment.py of whwu95/ATM.
  """

  stage: ClassVar[str] = "pixels"
  spec: str
  fill: int | tuple[int, ...] = 128
  method: str = "bicubic"

  def __post_init__(self) -> None:
    match = isinstance(self.spec, str) and _SPEC.fullmatch(self.spec)
    if not match:
      raise ValueError(
        "rand_augment takes a string as 'rand-m7-n4-mstd0.5-inc1' (mstd and "
        f"inc may be left out), got {self.spec!r}."
      )
    check_number("m of rand_augment", float(match[1]), 0, 10)
    check_number("n of rand_augment", int(match[2]), 1)
    image_operations.check_fill(self.fill)
    check_choice("method", self.method, METHODS)

  def __call__(self, key: jax.Array, clip: Clip, given: Given) -> Clip:
    """Returns the changed clip."""
    del given
    mean, layers, deviation, increasing = _SPEC.fullmatch(self.spec).groups()
    fill = image_operations.as_fill(self.fill)

    def layer(clip: Clip, key: jax.Array) -> tuple[Clip, None]:
      which_key, level_key, sign_key, chosen_key = jax.random.split(key, 4)
      level = float(mean) + float(deviation or 0) * jax.random.normal(level_key)
      amounts = image_operations.amounts(
        jnp.clip(level, 0, 10),
        jax.random.rademacher(sign_key, (), jnp.float32),
        increasing=increasing == "1",
      )
      count = len(image_operations.NAMES)
      which = jnp.where(
        jax.random.bernoulli(chosen_key),
        jax.random.randint(which_key, (), 0, count),
        image_operations.IDENTITY,
      )
      changed = image_operations.apply(
        clip,
        which,
        amounts[which],
        fill=fill,
        cubic=jnp.asarray(self.method == "bicubic"),
      )
      return changed, None

    return jax.lax.scan(layer, clip, jax.random.split(key, int(layers)))[0]
