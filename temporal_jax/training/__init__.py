"""Training: state, steps, loop, checkpoints and records."""

from temporal_jax.training.checkpoint import (
  CheckpointError as CheckpointError,
  Checkpoints as Checkpoints,
)
from temporal_jax.training.class_rows import (
  ClassRows as ClassRows,
  Match as Match,
  class_axes as class_axes,
  match_classes as match_classes,
)
from temporal_jax.training.clip_objective import ClipObjective as ClipObjective
from temporal_jax.training.first_state import (
  Fitting as Fitting,
  Start as Start,
  first_state as first_state,
  graft as graft,
)
from temporal_jax.training.load_variables import (
  CHECKPOINTS as CHECKPOINTS,
  has_checkpoint as has_checkpoint,
  load_variables as load_variables,
  read_state as read_state,
)
from temporal_jax.training.loop import (
  Cadence as Cadence,
  NonFiniteLossError as NonFiniteLossError,
  train as train,
)
from temporal_jax.training.loss import LOSSES as LOSSES, Loss as Loss
from temporal_jax.training.low_rank import (
  FACTORS as FACTORS,
  adapted_kernel as adapted_kernel,
  init_factors as init_factors,
  merge as merge,
  without_factors as without_factors,
)
from temporal_jax.training.mask_disturbance import mask_disturbance as mask_disturbance
from temporal_jax.training.moving_averages import move_averages as move_averages
from temporal_jax.training.objective import (
  Objective as Objective,
  PartLoss as PartLoss,
  Prepared as Prepared,
)
from temporal_jax.training.observers import (
  Observers as Observers,
  RunStart as RunStart,
  check_observers as check_observers,
)
from temporal_jax.training.optimizer import (
  OPTIMIZERS as OPTIMIZERS,
  create_optimizer as create_optimizer,
)
from temporal_jax.training.parallel.layout import (
  Layout as Layout,
  absent_tpu as absent_tpu,
  describe_layout as describe_layout,
  step_layout as step_layout,
  with_shardings as with_shardings,
)
from temporal_jax.training.parallel.mesh import (
  check_batch_size as check_batch_size,
  create_mesh as create_mesh,
  default_dtype as default_dtype,
  over_batch as over_batch,
  place_batch as place_batch,
  replicated as replicated,
  simulate_devices as simulate_devices,
)
from temporal_jax.training.parallel.parameter_sharding import (
  shard_parameters as shard_parameters,
  shard_state as shard_state,
)
from temporal_jax.training.parameter_groups import (
  Group as Group,
  describe_groups as describe_groups,
  parameter_groups as parameter_groups,
)
from temporal_jax.training.parameter_names import summarize_names as summarize_names
from temporal_jax.training.patience import Patience as Patience
from temporal_jax.training.profile import (
  Profile as Profile,
  parse_steps as parse_steps,
)
from temporal_jax.training.progress import Progress as Progress
from temporal_jax.training.records import (
  ConfigChange as ConfigChange,
  Records as Records,
  check_records as check_records,
  config_changes as config_changes,
  flat_fields as flat_fields,
  read_rows as read_rows,
  write_config as write_config,
)
from temporal_jax.training.schedule import (
  SCHEDULES as SCHEDULES,
  create_schedule as create_schedule,
)
from temporal_jax.training.state import (
  TrainState as TrainState,
  create_state as create_state,
  empty_window as empty_window,
  init_variables as init_variables,
  state_shapes as state_shapes,
  variable_shapes as variable_shapes,
)
from temporal_jax.training.step import (
  StepSpec as StepSpec,
  make_eval_step as make_eval_step,
  make_train_step as make_train_step,
)
from temporal_jax.training.stop_request import StopRequest as StopRequest
