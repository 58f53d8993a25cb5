"""Augmentation of clips on the device: recipes, mixing, and a sheet."""

from temporal_jax.data.augmentation.augment import Augmentation
from temporal_jax.data.augmentation.flip import flipped_labels
from temporal_jax.data.augmentation.mixup import Mix
from temporal_jax.data.augmentation.normalize import normalize
from temporal_jax.data.augmentation.recipe import check_flip

__all__ = [
  "Augmentation",
  "Mix",
  "check_flip",
  "flipped_labels",
  "normalize",
]
