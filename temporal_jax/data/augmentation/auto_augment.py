"""AutoAugment's policy for ImageNet, "v0" of EfficientNet."""

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp

from temporal_jax.data.augmentation import image_operations
from temporal_jax.data.augmentation.operation import Clip, Given
from temporal_jax.data.augmentation.resample import METHODS
from temporal_jax.validation import check_choice

# Pairs of (operation, probability, level of 10).
POLICY = (
  (("Equalize", 0.8, 1), ("ShearY", 0.8, 4)),
  (("Color", 0.4, 9), ("Equalize", 0.6, 3)),
  (("Color", 0.4, 1), ("Rotate", 0.6, 8)),
  (("Solarize", 0.8, 3), ("Equalize", 0.4, 7)),
  (("Solarize", 0.4, 2), ("Solarize", 0.6, 2)),
  (("Color", 0.2, 0), ("Equalize", 0.8, 8)),
  (("Equalize", 0.4, 8), ("SolarizeAdd", 0.8, 3)),
  (("ShearX", 0.2, 9), ("Rotate", 0.6, 8)),
  (("Color", 0.6, 1), ("Equalize", 1.0, 2)),
  (("Invert", 0.4, 9), ("Rotate", 0.6, 0)),
  (("Equalize", 1.0, 9), ("ShearY", 0.6, 3)),
  (("Color", 0.4, 7), ("Equalize", 0.6, 0)),
  (("Posterize", 0.4, 6), ("AutoContrast", 0.4, 7)),
  (("Solarize", 0.6, 8), ("Color", 0.6, 9)),
  (("Solarize", 0.2, 4), ("Rotate", 0.8, 9)),
  (("Rotate", 1.0, 7), ("TranslateYRel", 0.8, 9)),
  (("ShearX", 0.0, 0), ("Solarize", 0.8, 4)),
  (("ShearY", 0.8, 0), ("Color", 0.6, 4)),
  (("Color", 1.0, 0), ("Rotate", 0.6, 2)),
  (("Equalize", 0.8, 4), ("Equalize", 0.0, 8)),
  (("Equalize", 1.0, 4), ("AutoContrast", 0.6, 2)),
  (("ShearY", 0.4, 7), ("SolarizeAdd", 0.6, 7)),
  (("Posterize", 0.8, 2), ("Solarize", 0.6, 10)),
  (("Solarize", 0.6, 8), ("Equalize", 0.6, 1)),
  (("Color", 0.8, 6), ("Rotate", 0.4, 5)),
)


@dataclasses.dataclass(frozen=True)
class AutoAugment:
  """One of 25 pairs of operations, the same on all frames of a clip.

  Attributes:
    fill: Level, or levels of R, G and B, where a moved frame does not reach.
    method: "bicubic", "bilinear", or "random", one of them an operation.

  Source: Cubuk et al. 2018, https://arxiv.org/abs/1805.09501; policy "v0" of
    timm/data/auto_augment.py, which X-ViT's data_augment.py follows.
  """

  stage: ClassVar[str] = "pixels"
  fill: int | tuple[int, ...] = 128
  method: str = "random"

  def __post_init__(self) -> None:
    image_operations.check_fill(self.fill)
    check_choice("method", self.method, (*METHODS, "random"))

  def __call__(self, key: jax.Array, clip: Clip, given: Given) -> Clip:
    """Returns the changed clip."""
    del given
    policy_key, *keys = jax.random.split(key, 3)
    policy = jax.random.randint(policy_key, (), 0, len(POLICY))
    names, probabilities, levels = (
      jnp.asarray([[step(operation) for operation in pair] for pair in POLICY])[policy]
      for step in (
        lambda operation: image_operations.NAMES.index(operation[0]),
        lambda operation: float(operation[1]),
        lambda operation: float(operation[2]),
      )
    )
    fill = image_operations.as_fill(self.fill)

    def layer(clip: Clip, drawn: tuple) -> tuple[Clip, None]:
      key, name, probability, level = drawn
      chosen_key, sign_key, method_key = jax.random.split(key, 3)
      sign = jax.random.rademacher(sign_key, (), jnp.float32)
      chosen = jax.random.bernoulli(chosen_key, probability)
      which = jnp.where(chosen, name, image_operations.IDENTITY)
      amounts = image_operations.amounts(level, sign, increasing=False)
      cubic = jnp.asarray(self.method == "bicubic")
      if self.method == "random":
        cubic = jax.random.bernoulli(method_key)
      changed = image_operations.apply(
        clip, which, amounts[which], fill=fill, cubic=cubic
      )
      return changed, None

    drawn = (jnp.stack(keys), names, probabilities, levels)
    return jax.lax.scan(layer, clip, drawn)[0]
