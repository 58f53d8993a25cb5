"""Temporal operators and video recognition networks for JAX."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
  from temporal_jax.inference import Predictor
  from temporal_jax.models import create_model, list_models

__version__ = "0.1.0"
__all__ = ["Predictor", "create_model", "list_models"]

# Imported at their first use, for jax takes seconds that --help has not.
_HOMES = {
  "Predictor": "temporal_jax.inference",
  "create_model": "temporal_jax.models",
  "list_models": "temporal_jax.models",
}


def __getattr__(name: str) -> Any:
  if name not in _HOMES:
    raise AttributeError(f"temporal_jax has no {name!r}; it has {__all__}.")
  return getattr(importlib.import_module(_HOMES[name]), name)
