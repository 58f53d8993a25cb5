"""What a run is made of, before its first array is."""

from collections.abc import Mapping
from typing import NamedTuple

import flax.linen as nn
import jax
import ml_collections
import optax

from temporal_jax import training
from temporal_jax.experiment.classes import Classes
from temporal_jax.experiment.duration import Duration, duration, schedule
from temporal_jax.experiment.network import create_network
from temporal_jax.experiment.origin import check_origin
from temporal_jax.experiment.settings import clip_shape


class Parts(NamedTuple):
  """What a run is made of.

  Attributes:
    model: The network.
    classes: Number of its classes, by task if there are several.
    length: Of the run.
    groups: How each parameter is trained, by its name.
    optimizer: Of the parameters.
    shapes: Of every array of the state, with where it lies on the mesh.
    mesh: The devices.
  """

  model: nn.Module
  classes: Classes
  length: Duration
  groups: Mapping[str, training.Group]
  optimizer: optax.GradientTransformation
  shapes: training.TrainState
  mesh: jax.sharding.Mesh

  @property
  def layout(self) -> training.TrainState:
    """Where every array of the state lies."""
    return jax.tree.map(lambda shape: shape.sharding, self.shapes)


def assemble(
  config: ml_collections.ConfigDict,
  classes: Classes,
  num_videos: int,
  mesh: jax.sharding.Mesh,
) -> Parts:
  """Builds the parts of a run; nothing is computed.

  Args:
    config: The run's config.
    classes: Number of classes, by task if there are several.
    num_videos: Training videos.
    mesh: The devices.
  """
  optim = config.optim
  model = create_network(config, classes)
  check_origin(model, config.init_from)
  length = duration(config, num_videos)
  variables = training.variable_shapes(model, clip_shape(config))
  named = model.parameter_groups()
  groups = training.parameter_groups(
    variables["params"],
    weight_decay=optim.weight_decay,
    decay_vectors=optim.decay_vectors,
    decay_factors=optim.decay_factors,
    lr_factors=optim.lr_factors,
    frozen=optim.frozen,
    layer_decay=optim.layer_decay,
    layer_decay_except=optim.layer_decay_except,
    layer_decay_first=optim.layer_decay_first or named.before_blocks,
    blocks=named.blocks,
  )
  optimizer = create_optimizer(config, length, groups)
  shapes = training.state_shapes(variables, optimizer, ema=optim.ema_decay > 0)
  layout = training.shard_state(
    shapes, mesh, config.sharding, tensor_rules=named.tensor
  )
  shapes = training.with_shardings(shapes, layout)
  return Parts(model, classes, length, groups, optimizer, shapes, mesh)


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
