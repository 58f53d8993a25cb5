"""Augmentation of clips on the device: recipes, mixing, and a sheet."""

from temporal_jax.data.augmentation.augment import Augmentation as Augmentation
from temporal_jax.data.augmentation.flip import flipped_labels as flipped_labels
from temporal_jax.data.augmentation.mixup import Mix as Mix
from temporal_jax.data.augmentation.normalize import (
  FLOW_PIXELS as FLOW_PIXELS,
  normalize as normalize,
)
from temporal_jax.data.augmentation.recipe import check_flip as check_flip
