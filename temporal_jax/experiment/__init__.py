"""Builds a run from its config, for `temporal_jax.train`."""

from temporal_jax.experiment.check_start import check_start as check_start
from temporal_jax.experiment.classes import num_classes as num_classes
from temporal_jax.experiment.components import (
  RunComponents as RunComponents,
  assemble as assemble,
)
from temporal_jax.experiment.config_fields import (
  stages as stages,
)
from temporal_jax.experiment.description import (
  Description as Description,
  describe as describe,
  differences as differences,
  earlier_description as earlier_description,
)
from temporal_jax.experiment.duration import cadence as cadence
from temporal_jax.experiment.flags import (
  define_config as define_config,
  join_processes as join_processes,
  parse_flags as parse_flags,
  refuse as refuse,
)
from temporal_jax.experiment.network import other_inputs as other_inputs
from temporal_jax.experiment.number_bounds import check_keep_best as check_keep_best
from temporal_jax.experiment.optimizer import schedule as schedule
from temporal_jax.experiment.origin import complete as complete
from temporal_jax.experiment.run_kinds import run_kind as run_kind
from temporal_jax.experiment.settings import RunSettings as RunSettings
from temporal_jax.experiment.start_weights import (
  StartWeights as StartWeights,
  start_weights as start_weights,
)
from temporal_jax.experiment.steps import create_steps as create_steps
from temporal_jax.experiment.videos import open_videos as open_videos
from temporal_jax.experiment.weights import class_rows as class_rows, fitting as fitting
from temporal_jax.experiment.workdir_checks import (
  check_adapters as check_adapters,
  check_finished as check_finished,
)
from temporal_jax.experiment.workdir_lock import lock as lock
