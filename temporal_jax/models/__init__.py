"""Whole networks and the table of their names."""

from temporal_jax.models.catalog import (
  MODELS,
  ModelSpec,
  create_model,
  find_model,
  list_models,
)
from temporal_jax.models.operators import OPERATORS
from temporal_jax.models.resnet import ResNet
from temporal_jax.models.temporal import Temporal

__all__ = [
  "MODELS",
  "OPERATORS",
  "ModelSpec",
  "ResNet",
  "Temporal",
  "create_model",
  "find_model",
  "list_models",
]
