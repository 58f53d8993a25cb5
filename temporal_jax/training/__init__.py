"""Training: state, steps, loop, checkpoints and records."""

from temporal_jax.training.checkpoint import (
  Checkpoints,
  load_variables,
  read_state,
)
from temporal_jax.training.disturbance import mask_disturbance
from temporal_jax.training.loop import NonFiniteLossError, Plan, train
from temporal_jax.training.optimizer import create_optimizer, warmup_cosine
from temporal_jax.training.progress import Progress
from temporal_jax.training.records import Records, read_rows, write_config
from temporal_jax.training.sharding import (
  check_batch_size,
  create_mesh,
  default_dtype,
  over_batch,
  place_batch,
  replicated,
)
from temporal_jax.training.start import first_state, graft
from temporal_jax.training.state import (
  TrainState,
  create_state,
  init_variables,
)
from temporal_jax.training.step import make_eval_step, make_train_step
from temporal_jax.training.stop import StopRequest

__all__ = [
  "Checkpoints",
  "NonFiniteLossError",
  "Plan",
  "Progress",
  "Records",
  "StopRequest",
  "TrainState",
  "check_batch_size",
  "create_mesh",
  "create_optimizer",
  "create_state",
  "default_dtype",
  "first_state",
  "graft",
  "init_variables",
  "load_variables",
  "make_eval_step",
  "make_train_step",
  "mask_disturbance",
  "over_batch",
  "place_batch",
  "read_rows",
  "read_state",
  "replicated",
  "train",
  "warmup_cosine",
  "write_config",
]
