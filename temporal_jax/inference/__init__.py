"""Trained networks in use."""

from temporal_jax.inference.classifier import Classifier
from temporal_jax.inference.forward import create_forward, prepare_variables
from temporal_jax.inference.saved_model import (
  SavedModel,
  digest,
  load_model,
  save_model,
  write_description,
)

__all__ = [
  "Classifier",
  "SavedModel",
  "create_forward",
  "digest",
  "load_model",
  "prepare_variables",
  "save_model",
  "write_description",
]
