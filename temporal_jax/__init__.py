"""Temporal operators and video recognition networks for JAX."""

from temporal_jax.models import create_model, list_models

__version__ = "0.1.0"
__all__ = ["create_model", "list_models"]
