"""The optimizer of a run, and its learning rate."""

from collections.abc import Mapping

import ml_collections
import optax

from temporal_jax import training
from temporal_jax.experiment.duration import Duration


def schedule(
  config: ml_collections.ConfigDict, length: Duration, factor: float = 1.0
) -> optax.Schedule:
  """Returns step -> learning rate.

  Args:
    config: The run's config.
    length: Length of the run.
    factor: Factor of all rates except the last one, `optim.end_lr`.
  """
  optim = config.optim
  scale = config.batch_size / (optim.lr_batch_size or config.batch_size)
  return training.create_schedule(
    optim.schedule,
    peak=optim.lr * scale * factor,
    start=optim.warmup_lr * scale * factor,
    end=optim.end_lr * scale,
    num_steps=length.num_steps,
    warmup_steps=length.warmup_steps,
    milestones=[round(m * length.steps_per_epoch) for m in optim.milestones],
    steps_per_epoch=length.steps_per_epoch,
  )


def create_optimizer(
  config: ml_collections.ConfigDict,
  length: Duration,
  groups: Mapping[str, training.Group],
) -> optax.GradientTransformation:
  """Returns the optimizer of parameters in these groups."""
  optim = config.optim
  return training.create_optimizer(
    optim.name,
    schedule(config, length),
    groups,
    momentum=optim.momentum,
    betas=optim.betas,
    clip_norm=optim.clip_norm,
    scaled_schedule=None
    if optim.scale_end_lr
    else lambda factor: schedule(config, length, factor),
  )
