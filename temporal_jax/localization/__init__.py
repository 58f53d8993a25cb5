"""Temporal action localization: segments of long videos, from features."""

from temporal_jax.localization.networks.actionformer import (
  ActionFormer as ActionFormer,
)
from temporal_jax.localization.networks.bmn import BMN as BMN
