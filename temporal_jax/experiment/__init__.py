"""From a config to a run: what `temporal_jax.train` calls, in order."""

from temporal_jax.experiment.classes import num_classes
from temporal_jax.experiment.components import RunComponents, assemble
from temporal_jax.experiment.config_fields import stages, unknown_field
from temporal_jax.experiment.description import (
  describe,
  differences,
  earlier_description,
)
from temporal_jax.experiment.duration import cadence
from temporal_jax.experiment.network import other_inputs
from temporal_jax.experiment.number_bounds import check_keep_best
from temporal_jax.experiment.optimizer import schedule
from temporal_jax.experiment.origin import complete
from temporal_jax.experiment.preview import draw, show_layout
from temporal_jax.experiment.settings import RunSettings
from temporal_jax.experiment.steps import create_steps
from temporal_jax.experiment.test_scoring import Scoring
from temporal_jax.experiment.videos import open_videos
from temporal_jax.experiment.weights import class_rows, fitting
from temporal_jax.experiment.workdir_lock import lock

__all__ = [
  "RunComponents",
  "RunSettings",
  "Scoring",
  "assemble",
  "cadence",
  "check_keep_best",
  "class_rows",
  "complete",
  "create_steps",
  "describe",
  "differences",
  "draw",
  "earlier_description",
  "fitting",
  "lock",
  "num_classes",
  "open_videos",
  "other_inputs",
  "schedule",
  "show_layout",
  "stages",
  "unknown_field",
]
