"""From a config to a run: what train.py calls, in order."""

from temporal_jax.experiment.check import check as check
from temporal_jax.experiment.classes import num_classes as num_classes
from temporal_jax.experiment.components import Parts as Parts, assemble as assemble
from temporal_jax.experiment.config_fields import unknown_field as unknown_field
from temporal_jax.experiment.description import describe as describe
from temporal_jax.experiment.duration import plan as plan, schedule as schedule
from temporal_jax.experiment.earlier_start import (
  differences as differences,
  earlier_description as earlier_description,
)
from temporal_jax.experiment.network import other_inputs as other_inputs
from temporal_jax.experiment.number_bounds import check_keep_best as check_keep_best
from temporal_jax.experiment.own_classes import class_rows as class_rows
from temporal_jax.experiment.preview import draw as draw, show_plan as show_plan
from temporal_jax.experiment.settings import (
  clip_shape as clip_shape,
  create_augmentation as create_augmentation,
  open_videos as open_videos,
  protocol as protocol,
)
from temporal_jax.experiment.stages import stages as stages
from temporal_jax.experiment.steps import create_steps as create_steps
from temporal_jax.experiment.test_scoring import Scoring as Scoring
from temporal_jax.experiment.weights import complete as complete, fitting as fitting
from temporal_jax.experiment.workdir_lock import lock as lock
