"""Temporal action localization: segments of long videos, from features."""

from temporal_jax.localization.suppression import (
  Kept as Kept,
  nms as nms,
  soft_nms as soft_nms,
  vote as vote,
)
