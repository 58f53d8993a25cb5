"""From a config to a run: what train.py calls, in order."""

from temporal_jax.experiment.check import check
from temporal_jax.experiment.classes import num_classes
from temporal_jax.experiment.components import Parts, assemble
from temporal_jax.experiment.config_fields import unknown_field
from temporal_jax.experiment.description import describe
from temporal_jax.experiment.duration import plan, schedule
from temporal_jax.experiment.earlier_start import differences, earlier_description
from temporal_jax.experiment.network import other_inputs
from temporal_jax.experiment.number_bounds import check_keep_best
from temporal_jax.experiment.own_classes import class_rows
from temporal_jax.experiment.preview import draw, show_plan
from temporal_jax.experiment.settings import (
  clip_shape,
  create_augmentation,
  open_videos,
  protocol,
)
from temporal_jax.experiment.stages import stages
from temporal_jax.experiment.steps import create_steps
from temporal_jax.experiment.test_scoring import Scoring
from temporal_jax.experiment.weights import complete, fitting
from temporal_jax.experiment.workdir_lock import lock

__all__ = [
  "Parts",
  "Scoring",
  "assemble",
  "check",
  "check_keep_best",
  "class_rows",
  "clip_shape",
  "complete",
  "create_augmentation",
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
  "plan",
  "protocol",
  "schedule",
  "show_plan",
  "stages",
  "unknown_field",
]
