"""All components of a run, built before any array is allocated."""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import ml_collections
import optax

from temporal_jax import training
from temporal_jax.experiment.adapters import add_factors, check_trained
from temporal_jax.experiment.classes import Classes
from temporal_jax.experiment.duration import Duration, duration
from temporal_jax.experiment.network import create_network
from temporal_jax.experiment.optimizer import create_optimizer, schedule
from temporal_jax.experiment.origin import check_origin
from temporal_jax.experiment.settings import RunSettings
from temporal_jax.models.network import ParameterGroups


class RunComponents(NamedTuple):
  """Components of a run.

  Attributes:
    model: The network.
    classes: Number of its classes, by task if there are several.
    length: Length of the run.
    groups: Learning rate, weight decay and freezing of each parameter, by its
      name.
    optimizer: Optimizer of all parameters.
    shapes: Shape of every array of the state, and its place on the mesh.
  """

  model: nn.Module
  classes: Classes
  length: Duration
  groups: Mapping[str, training.Group]
  optimizer: optax.GradientTransformation
  shapes: training.TrainState

  @property
  def layout(self) -> training.TrainState:
    """Place of every array of the state on the mesh."""
    return jax.tree.map(lambda shape: shape.sharding, self.shapes)


def _variable_shapes(model: nn.Module, settings: RunSettings) -> dict[str, Any]:
  """Returns the shapes of the network's variables, and of its adapters.

  Raises:
    ValueError: If its arguments, or its operator's, do not go together, or
      adapters do not fit it.
  """
  try:
    shapes = training.variable_shapes(model, settings.clip_shape)
  except (TypeError, ValueError, ZeroDivisionError) as error:
    chosen = settings.config.model
    overrides = dict(chosen.overrides)
    words = str(error).splitlines()[0]
    raise ValueError(
      f"the network {chosen.name} with temporal={chosen.temporal!r} and overrides "
      f"{overrides} cannot be built for clips {settings.clip_shape}: {words}"
    ) from error
  return add_factors(settings.config, shapes)


def assemble(settings: RunSettings, classes: Classes, num_videos: int) -> RunComponents:
  """Builds the components of a run; nothing is computed.

  Args:
    settings: The run's settings.
    classes: Number of classes, by task if there are several.
    num_videos: Number of training videos.

  Raises:
    ValueError: If the schedule does not fit the number of steps, or adapters
      do not fit the network.
  """
  config = settings.config
  model = create_network(config, classes)
  check_origin(model, config.init_from, settings.clip_shape[-1])
  components = assemble_network(
    config,
    settings.mesh,
    model,
    variables=functools.partial(_variable_shapes, model, settings),
    named=model.parameter_groups(),
    classes=classes,
    num_videos=num_videos,
    sums=training.ClipObjective.sums,
  )
  check_trained(components.groups)
  return components


def assemble_network(
  config: ml_collections.ConfigDict,
  mesh: jax.sharding.Mesh,
  model: nn.Module,
  *,
  variables: Callable[[], dict[str, Any]],
  named: ParameterGroups,
  classes: Any,
  num_videos: int,
  sums: Sequence[str],
) -> RunComponents:
  """Builds the components of a run of any kind; nothing is computed.

  Args:
    config: The run's config.
    mesh: The devices.
    model: The network.
    variables: Returns the shapes of its variables.
    named: Parameters of the network that are treated alike.
    classes: Number of its classes.
    num_videos: Number of examples of a pass over the training data.
    sums: Values that the objective adds up.

  Raises:
    ValueError: If the schedule does not fit the number of steps.
  """
  optim = config.optim
  length = duration(config, num_videos)
  _check_schedule(config, mesh, length, num_videos)
  variables = variables()
  groups = training.parameter_groups(
    variables["params"],
    weight_decay=optim.weight_decay,
    decay_vectors=optim.decay_vectors,
    decay_factors=optim.decay_factors,
    lr_factors=optim.lr_factors,
    frozen=optim.frozen,
    trained=optim.trained,
    layer_decay=optim.layer_decay,
    layer_decay_except=optim.layer_decay_except,
    layer_decay_first=optim.layer_decay_first or named.before_blocks,
    blocks=named.blocks,
  )
  optimizer = create_optimizer(config, length, groups)
  shapes = training.state_shapes(
    variables, optimizer, ema=optim.ema_decay > 0, sums=sums
  )
  layout = training.shard_state(
    shapes, mesh, config.sharding, tensor_rules=named.tensor
  )
  shapes = training.with_shardings(shapes, layout)
  return RunComponents(model, classes, length, groups, optimizer, shapes)


def _check_schedule(
  config: ml_collections.ConfigDict,
  mesh: jax.sharding.Mesh,
  length: Duration,
  num_videos: int,
) -> None:
  """Raises ValueError if a schedule does not fit the number of steps.

  In epochs of less than a step no milestones fit: a smaller batch is named.
  """
  devices = mesh.shape
  try:
    schedule(config, length)
  except ValueError as error:
    if num_videos >= config.batch_size:
      raise
    parts = devices["data"] * devices["fsdp"]
    fitting = max(num_videos // (4 * parts), 1) * parts
    raise ValueError(
      f"{error} There are {num_videos} training videos, less than a batch of "
      f"{config.batch_size}: --config.batch_size={fitting}."
    ) from None
