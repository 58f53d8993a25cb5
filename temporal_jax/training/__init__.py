"""Training: state, steps, loop, checkpoints and records."""

from temporal_jax.training.checkpoint import CheckpointError, Checkpoints
from temporal_jax.training.class_rows import (
  ClassRows,
  Match,
  class_axes,
  match_classes,
)
from temporal_jax.training.first_state import Fitting, Start, first_state, graft
from temporal_jax.training.layer_decay import BEFORE_BLOCKS
from temporal_jax.training.load_variables import (
  CHECKPOINTS,
  has_checkpoint,
  load_variables,
  read_state,
)
from temporal_jax.training.loop import Cadence, NonFiniteLossError, train
from temporal_jax.training.loss import LOSSES, Loss
from temporal_jax.training.mask_disturbance import mask_disturbance
from temporal_jax.training.moving_averages import move_averages
from temporal_jax.training.optimizer import OPTIMIZERS, create_optimizer
from temporal_jax.training.parallel.layout import (
  Layout,
  absent_tpu,
  describe_layout,
  step_layout,
  with_shardings,
)
from temporal_jax.training.parallel.mesh import (
  check_batch_size,
  create_mesh,
  default_dtype,
  over_batch,
  place_batch,
  replicated,
  simulate_devices,
)
from temporal_jax.training.parallel.parameter_sharding import (
  shard_parameters,
  shard_state,
)
from temporal_jax.training.parameter_groups import (
  Group,
  describe_groups,
  parameter_groups,
)
from temporal_jax.training.parameter_names import summarize_names
from temporal_jax.training.progress import Progress
from temporal_jax.training.records import (
  Records,
  check_records,
  read_rows,
  write_config,
  write_final,
)
from temporal_jax.training.schedule import SCHEDULES, create_schedule
from temporal_jax.training.state import (
  TrainState,
  create_state,
  init_variables,
  state_shapes,
  variable_shapes,
)
from temporal_jax.training.step import (
  StepSpec,
  make_eval_step,
  make_train_step,
)
from temporal_jax.training.stop_request import StopRequest

__all__ = [
  "BEFORE_BLOCKS",
  "CHECKPOINTS",
  "LOSSES",
  "OPTIMIZERS",
  "SCHEDULES",
  "Cadence",
  "CheckpointError",
  "Checkpoints",
  "ClassRows",
  "Fitting",
  "Group",
  "Layout",
  "Loss",
  "Match",
  "NonFiniteLossError",
  "Progress",
  "Records",
  "Start",
  "StepSpec",
  "StopRequest",
  "TrainState",
  "absent_tpu",
  "check_batch_size",
  "check_records",
  "class_axes",
  "create_mesh",
  "create_optimizer",
  "create_schedule",
  "create_state",
  "default_dtype",
  "describe_groups",
  "describe_layout",
  "first_state",
  "graft",
  "has_checkpoint",
  "init_variables",
  "load_variables",
  "make_eval_step",
  "make_train_step",
  "mask_disturbance",
  "match_classes",
  "move_averages",
  "over_batch",
  "parameter_groups",
  "place_batch",
  "read_rows",
  "read_state",
  "replicated",
  "shard_parameters",
  "shard_state",
  "simulate_devices",
  "state_shapes",
  "step_layout",
  "summarize_names",
  "train",
  "variable_shapes",
  "with_shardings",
  "write_config",
  "write_final",
]
