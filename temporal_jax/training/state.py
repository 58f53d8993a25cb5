"""Training state of a run: one tree of arrays."""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

import flax
import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from flax import struct

from temporal_jax.training.host_init import run_on_host

Tree = dict  # Nested dicts of arrays, as flax makes them.
Window = dict[str, jax.Array]  # See `empty_window`.
# Sums over classified clips: of their losses, and of the weights of those whose
# best class is right.
CLIP_SUMS = ("loss", "correct")


def empty_window(sums: Iterable[str]) -> Window:
  """Returns the sums over no step.

  They are part of the state, so that a run that was interrupted between two
  logging steps logs the same values as one that was not.

  Args:
    sums: Names of the sums of the run's objective, see `objective.Objective`.

  Returns:
    Each of these sums; "weight", the sum of all examples' weights; "grad_norm",
    the sum of every step's global gradient norm; "steps", their number;
    "bad_step", the first one with a non-finite loss or gradient, or -1.
  """
  # Arrays of their own, since a step takes over each.
  names = (*sums, "weight", "grad_norm")
  return {
    **{name: jnp.zeros((), jnp.float32) for name in names},
    "steps": jnp.zeros((), jnp.int32),
    "bad_step": jnp.full((), -1, jnp.int32),
  }


def window_sums(window: Window) -> list[str]:
  """Returns the names of the objective's sums in a window."""
  others = empty_window(())
  return [name for name in window if name not in others]


class TrainState(struct.PyTreeNode):
  """Parameters and everything that changes with them.

  Attributes:
    step: Steps done.
    params: Parameters, float32.
    batch_stats: Running statistics, of BatchNorm or of the loss; {} without.
    opt_state: State of the optimizer.
    ema: Moving averages {"params", "batch_stats"}; {} without.
    window: Sums since the last logging step, see `empty_window`.
  """

  step: jax.Array
  params: Tree
  batch_stats: Tree
  opt_state: optax.OptState
  ema: Tree
  window: Window

  def variables(self) -> Tree:
    """Returns the variables for `model.apply` in training."""
    return {"params": self.params, "batch_stats": self.batch_stats}

  def eval_variables(self) -> Tree:
    """Returns the variables for evaluation: averages, if kept."""
    return self.ema or self.variables()


def init_variables(
  model: nn.Module,
  shape: tuple[int, ...],
  key: jax.Array,
  inputs: Mapping[str, Any] = MappingProxyType({}),
) -> Tree:
  """Returns fresh {"params", "batch_stats"} of a model; see `run_on_host`.

  Args:
    model: The module, called as `model(x, **inputs, train=...)`.
    shape: Shape of x, such as (B, T, H, W, 3) of clips.
    key: Random key.
    inputs: Other arguments that the module needs.
  """
  return run_on_host(_initialiser(model, shape, inputs), key)


def variable_shapes(
  model: nn.Module,
  shape: tuple[int, ...],
  inputs: Mapping[str, Any] = MappingProxyType({}),
) -> Tree:
  """Returns the shapes of the results of `init_variables`."""
  return jax.eval_shape(_initialiser(model, shape, inputs), jax.random.key(0))


def create_state(
  variables: Tree,
  optimizer: optax.GradientTransformation,
  *,
  ema: bool,
  sums: Iterable[str] = CLIP_SUMS,
) -> TrainState:
  """Returns the state before step 0.

  Args:
    variables: {"params", "batch_stats"} to start from.
    optimizer: Gives the optimizer's first state.
    ema: Whether moving averages are kept.
    sums: Values that the objective adds up, see `empty_window`.
  """
  return TrainState(
    step=jnp.zeros((), jnp.int32),
    params=variables["params"],
    batch_stats=variables["batch_stats"],
    opt_state=optimizer.init(variables["params"]),
    ema=jax.tree.map(jnp.copy, variables) if ema else {},
    window=empty_window(sums),
  )


def state_shapes(
  variables: Tree,
  optimizer: optax.GradientTransformation,
  *,
  ema: bool,
  sums: Iterable[str] = CLIP_SUMS,
) -> TrainState:
  """Returns the shapes of the results of `create_state`."""
  return jax.eval_shape(
    lambda variables: create_state(variables, optimizer, ema=ema, sums=sums), variables
  )


def _initialiser(
  model: nn.Module, shape: tuple[int, ...], inputs: Mapping[str, Any]
) -> Callable[[jax.Array], Tree]:
  """Returns key -> variables."""

  def init(key: jax.Array) -> Tree:
    variables = model.init(key, jnp.zeros(shape, jnp.float32), **inputs)
    return {"batch_stats": {}, **flax.core.unfreeze(variables)}

  return init
