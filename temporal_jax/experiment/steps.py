"""The compiled steps of a run."""

import dataclasses
import functools
from collections.abc import Callable, Mapping

import flax.linen as nn
import jax
import ml_collections

from temporal_jax import data, training
from temporal_jax.experiment.classes import Classes
from temporal_jax.experiment.components import Parts
from temporal_jax.experiment.settings import pixels


def create_steps(
  config: ml_collections.ConfigDict,
  parts: Parts,
  augment: data.Augmentation,
  inputs: Mapping[str, jax.Array],
) -> tuple[Callable, Callable]:
  """Returns the jitted training step and evaluation step.

  Args:
    config: The run's config.
    parts: Of the run.
    augment: What is done to training clips.
    inputs: What the network reads beside clips.
  """
  optim = config.optim
  loss = create_loss(config, parts.classes)
  spec = training.StepSpec(
    network=_disturbed(config, parts),
    optimizer=parts.optimizer,
    groups=parts.groups,
    loss=loss,
    augment=augment,
    seed=config.seed,
    mix=create_mix(config),
    inputs=inputs,
    aux_weights={"alignment_loss": config.loss.alignment},
    freeze_batch_norm=config.model.freeze_batch_norm,
    parts=optim.accumulate,
    ema_decay=optim.ema_decay,
    ema_warmup=optim.ema_warmup,
  )
  layout = parts.layout
  return (
    training.make_train_step(spec, parts.mesh, layout),
    training.make_eval_step(
      parts.model,
      functools.partial(data.normalize, **pixels(config)),
      loss.probabilities,
      parts.mesh,
      {"params": layout.params, "batch_stats": layout.batch_stats},
      inputs,
    ),
  )


def create_loss(config: ml_collections.ConfigDict, classes: Classes) -> training.Loss:
  """Returns the loss of a clip."""
  return training.Loss(
    classes,
    name=config.loss.name,
    label_smoothing=config.loss.label_smoothing,
  )


def create_mix(config: ml_collections.ConfigDict) -> data.Mix | None:
  """Returns how clips are mixed; None if they are not."""
  if not config.mix.mixup_alpha and not config.mix.cutmix_alpha:
    return None
  return data.Mix(**config.mix)


def _disturbed(
  config: ml_collections.ConfigDict, parts: Parts
) -> nn.Module | Callable[[jax.Array], nn.Module]:
  """Returns the network in training: ILA's masks are disturbed ever less."""
  model, decay_start = parts.model, config.model.disturbance_decay_epoch
  if not decay_start:
    return model

  def network(step: jax.Array) -> nn.Module:
    epoch = (step / parts.length.steps_per_epoch).astype(int)
    branch = functools.partial(
      model.temporal.attention_branch,
      disturbance=training.mask_disturbance(epoch, decay_start=decay_start),
    )
    temporal = dataclasses.replace(model.temporal, attention_branch=branch)
    return model.clone(temporal=temporal)

  return network
