"""What is wrong with a config, told before any work is done."""

from collections.abc import Sequence

import jax
import ml_collections

from temporal_jax import training
from temporal_jax.experiment.classes import expected_classes
from temporal_jax.experiment.components import create_optimizer
from temporal_jax.experiment.duration import duration, plan
from temporal_jax.experiment.network import create_network
from temporal_jax.experiment.number_bounds import check_bounds
from temporal_jax.experiment.settings import clip_format, pixels, protocol
from temporal_jax.experiment.steps import create_loss, create_mix

# Stands in for what is not known yet.
_STEPS_PER_EPOCH = 1000


def check(
  config: ml_collections.ConfigDict,
  devices: Sequence[jax.Device] | None = None,
) -> jax.sharding.Mesh:
  """Builds what needs no videos; all but the mesh is thrown away.

  Args:
    config: The run's config.
    devices: Of the mesh; all there are by default.

  Raises:
    ValueError: If a value makes no sense.
  """
  check_bounds(config)
  mesh = training.create_mesh(config.mesh, devices)
  training.check_batch_size(config.batch_size, mesh)
  _check_parts(config, mesh)
  classes = expected_classes(config) if config.data.num_classes else 2
  create_network(config, classes)
  create_loss(config, classes)
  create_mix(config)
  clip_format(config)
  protocol(config)
  pixels(config)
  length = duration(config, _STEPS_PER_EPOCH * config.batch_size)
  plan(config, length)
  epochs_in_steps = config.optim.warmup_epochs or config.optim.milestones
  if config.num_epochs or not epochs_in_steps:
    create_optimizer(config, length, groups={})
  return mesh


def _check_parts(config: ml_collections.ConfigDict, mesh: jax.sharding.Mesh) -> None:
  """Every device must be able to cut its clips into parts."""
  clips = config.batch_size * config.data.repeats
  own = clips // (mesh.shape["data"] * mesh.shape["fsdp"])
  parts = config.optim.accumulate
  if parts < 1 or own % parts:
    raise ValueError(
      f"optim.accumulate must divide the {own} clips of a device, got {parts}."
    )
