"""The compiled steps of a run."""

import dataclasses
import functools
from collections.abc import Callable, Mapping

import flax.linen as nn
import jax
import ml_collections

from temporal_jax import data, training
from temporal_jax.experiment.components import RunComponents
from temporal_jax.experiment.settings import RunSettings


def create_steps(
  settings: RunSettings,
  components: RunComponents,
  loss: training.Loss,
  augment: data.Augmentation,
  inputs: Mapping[str, jax.Array],
) -> tuple[Callable, Callable]:
  """Returns the jitted training step and evaluation step.

  Args:
    settings: The run's settings.
    components: The run's components.
    loss: Loss of a clip.
    augment: Augmentation of training clips.
    inputs: The network's inputs other than clips.
  """
  config, optim = settings.config, settings.config.optim
  objective = training.ClipObjective(
    network=_disturbed(config, components),
    loss=loss,
    augment=augment,
    mix=settings.mix,
    inputs=inputs,
    aux_weights={"alignment_loss": config.loss.alignment},
    freeze_batch_norm=config.model.freeze_batch_norm,
  )
  spec = training.StepSpec(
    objective,
    components.optimizer,
    seed=config.seed,
    groups=components.groups,
    num_microbatches=optim.accumulate,
    ema_decay=optim.ema_decay,
    ema_warmup=optim.ema_warmup,
  )
  layout = components.layout
  return (
    training.make_train_step(spec, settings.mesh, layout),
    training.make_eval_step(
      components.model,
      functools.partial(data.normalize, **settings.pixels),
      loss.probabilities,
      settings.mesh,
      {"params": layout.params, "batch_stats": layout.batch_stats},
      inputs,
    ),
  )


def _disturbed(
  config: ml_collections.ConfigDict, components: RunComponents
) -> nn.Module | Callable[[jax.Array], nn.Module]:
  """Returns the network in training: ILA's masks are disturbed ever less."""
  model, decay_start = components.model, config.model.disturbance_decay_epoch
  aligns = model.temporal.attention_branch
  has_masks = hasattr(getattr(aligns, "func", aligns), "disturbance")
  if not (decay_start and has_masks):  # Others train in ILA's recipes too.
    return model

  def network(step: jax.Array) -> nn.Module:
    epoch = (step / components.length.steps_per_epoch).astype(int)
    branch = functools.partial(
      aligns,
      disturbance=training.mask_disturbance(epoch, decay_start=decay_start),
    )
    temporal = dataclasses.replace(model.temporal, attention_branch=branch)
    return model.clone(temporal=temporal)

  return network
