"""Trained networks in use."""

from temporal_jax.inference.annotating import annotate
from temporal_jax.inference.classifier import Classifier
from temporal_jax.inference.forward import create_forward, prepare_variables
from temporal_jax.inference.listing import list_videos
from temporal_jax.inference.prediction import Prediction
from temporal_jax.inference.predictor import Predictor
from temporal_jax.inference.saved_model import (
  SavedModel,
  digest,
  load_model,
  save_model,
  write_description,
)
from temporal_jax.inference.views import with_views

__all__ = [
  "Classifier",
  "Prediction",
  "Predictor",
  "SavedModel",
  "annotate",
  "create_forward",
  "digest",
  "list_videos",
  "load_model",
  "prepare_variables",
  "save_model",
  "with_views",
  "write_description",
]
