"""The optimizers, with a learning rate and a decay for each parameter."""

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
import optax

from temporal_jax.training.parameter_groups import Group
from temporal_jax.training.parameter_names import path_name
from temporal_jax.training.state import Tree
from temporal_jax.validation import check_at_least, check_choice

OPTIMIZERS = ("adamw", "sgd")


def create_optimizer(
  name: str,
  schedule: optax.Schedule,
  groups: Mapping[str, Group],
  *,
  momentum: float = 0.9,
  betas: tuple[float, float] = (0.9, 0.999),
  clip_norm: float = 0.0,
  scaled_schedule: Callable[[float], optax.Schedule] | None = None,
) -> optax.GradientTransformation:
  """Builds the optimizer.

  The gradient is clipped, then AdamW or SGD computes from it a step, which is
  multiplied by the learning rate of the parameter's group. Frozen parameters
  have no update, no state and no part in the norm that is clipped.

  Args:
    name: "adamw" (decay apart from the gradient, epsilon 1e-8) or "sgd"
      (Nesterov's, decay in the gradient), both as torch has them.
    schedule: Step -> learning rate.
    groups: Groups of the parameters, by name; see `parameter_groups`.
    momentum: Momentum of SGD.
    betas: Betas of AdamW.
    clip_norm: Largest global norm of the gradient; 0 clips nothing.
    scaled_schedule: Factor of a group -> schedule of its learning rate, where
      that is not the factor times `schedule`: in ILA all groups end at the same
      learning rate.

  Returns:
    Its state holds trees of the parameters' structure, with
    `optax.MaskedNode` in the places of frozen ones.

  Raises:
    ValueError: If the name is not in `OPTIMIZERS`, a number is out of range, or
      a parameter has no group.
  """
  check_choice("optimizer", name, OPTIMIZERS)
  if len(betas) != 2:
    raise ValueError(f"betas must be two numbers, got {betas}.")
  for word, value in (("momentum", momentum), *(("betas", b) for b in betas)):
    if not 0 <= value < 1:
      raise ValueError(f"{word} must be in [0, 1), got {value}.")
  check_at_least("clip_norm", clip_norm, 0)
  decay = _add_decay(groups)
  if name == "adamw":
    rule = optax.chain(optax.scale_by_adam(*betas), decay)
  else:
    rule = optax.chain(decay, optax.trace(momentum, nesterov=True))
  optimizer = optax.chain(
    optax.clip_by_global_norm(clip_norm) if clip_norm else optax.identity(),
    rule,
    _scale_by_rates(
      scaled_schedule or (lambda factor: lambda step: factor * schedule(step)),
      groups,
    ),
  )
  return optax.partition(
    {"trained": optimizer, "frozen": optax.set_to_zero()},
    lambda params: _map_groups(
      lambda group, _: "frozen" if group.frozen else "trained", groups, params
    ),
  )


def _map_groups(function: Callable, groups: Mapping[str, Group], *trees: Tree) -> Tree:
  """Maps `function(group, *leaves)` over trees of the parameters' names."""

  def call(path: jax.tree_util.KeyPath, *leaves: jax.Array) -> jax.Array:
    name = path_name(path)
    if name not in groups:
      raise ValueError(f"parameter {name!r} is in no group.")
    return function(groups[name], *leaves)

  return jax.tree_util.tree_map_with_path(call, *trees)


def _add_decay(groups: Mapping[str, Group]) -> optax.GradientTransformation:
  """Adds the parameters, times their decay."""

  def decayed(group: Group, update: jax.Array, param: jax.Array) -> jax.Array:
    return update + group.weight_decay * param if group.weight_decay else update

  return optax.stateless(
    lambda updates, params: _map_groups(decayed, groups, updates, params)
  )


def _scale_by_rates(
  scaled_schedule: Callable[[float], optax.Schedule],
  groups: Mapping[str, Group],
) -> optax.GradientTransformation:
  """Goes down by the learning rate of each group."""
  factors = {group.lr_factor for group in groups.values() if not group.frozen}
  schedules = {factor: scaled_schedule(factor) for factor in sorted(factors)}

  def init(params: Tree) -> optax.ScaleByScheduleState:
    del params
    return optax.ScaleByScheduleState(count=jnp.zeros((), jnp.int32))

  def update(
    updates: Tree, state: optax.ScaleByScheduleState, params: Tree = None
  ) -> tuple[Tree, optax.ScaleByScheduleState]:
    del params
    rates = {factor: rate(state.count) for factor, rate in schedules.items()}
    updates = _map_groups(
      lambda group, leaf: -rates[group.lr_factor] * leaf, groups, updates
    )
    count = optax.safe_increment(state.count)
    return updates, optax.ScaleByScheduleState(count=count)

  return optax.GradientTransformation(init, update)
