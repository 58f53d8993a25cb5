"""Trained networks in use."""

from temporal_jax.inference.saved_model import (
  SavedModel,
  digest,
  load_model,
  save_model,
)

__all__ = ["SavedModel", "digest", "load_model", "save_model"]
