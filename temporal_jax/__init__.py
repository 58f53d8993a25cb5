"""Temporal operators and video recognition networks for JAX."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
  from temporal_jax import (
    data as data,
    evaluation as evaluation,
    experiment as experiment,
    inference as inference,
    layers as layers,
    localization as localization,
    models as models,
    ops as ops,
    training as training,
  )
  from temporal_jax.inference import Localizer as Localizer, Predictor as Predictor
  from temporal_jax.models import (
    create_model as create_model,
    list_models as list_models,
  )
  from temporal_jax.pretrained import (
    from_pretrained as from_pretrained,
    push_to_hub as push_to_hub,
    save_pretrained as save_pretrained,
  )

__version__ = "0.1.0"

# Imported at their first use: jax takes seconds to import, and `--help` should
# not wait. A package is its own home.
_HOMES = {
  "Localizer": "temporal_jax.inference",
  "Predictor": "temporal_jax.inference",
  "create_model": "temporal_jax.models",
  "data": "temporal_jax.data",
  "evaluation": "temporal_jax.evaluation",
  "experiment": "temporal_jax.experiment",
  "from_pretrained": "temporal_jax.pretrained",
  "inference": "temporal_jax.inference",
  "layers": "temporal_jax.layers",
  "list_models": "temporal_jax.models",
  "localization": "temporal_jax.localization",
  "models": "temporal_jax.models",
  "ops": "temporal_jax.ops",
  "push_to_hub": "temporal_jax.pretrained",
  "save_pretrained": "temporal_jax.pretrained",
  "training": "temporal_jax.training",
}


def __getattr__(name: str) -> Any:
  if name not in _HOMES:
    raise AttributeError(f"temporal_jax has no {name!r}; it has {sorted(_HOMES)}.")
  home = importlib.import_module(_HOMES[name])
  return home if home.__name__ == f"{__name__}.{name}" else getattr(home, name)


def __dir__() -> list[str]:
  return sorted({*globals(), *_HOMES})
