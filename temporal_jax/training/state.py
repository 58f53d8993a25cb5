"""All that a run must remember: one tree of arrays."""

from collections.abc import Callable

import flax
import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from flax import struct

from temporal_jax.training.host_init import run_on_host

Tree = dict  # Nested dicts of arrays, as flax makes them.


class Window(struct.PyTreeNode):
  """Sums over the steps since the last logging step.

  They are part of the state, so that a run that was interrupted between two
  logging steps logs the same values as one that was not.

  Attributes:
    loss: Sum of the weighted loss of every clip.
    correct: Sum of the weights of the clips whose best class is right.
    weight: Sum of the weights of the clips.
    grad_norm: Sum of the global gradient norm of every step.
    steps: Number of steps.
    bad_step: First step with a non-finite loss or gradient, or -1.
  """

  loss: jax.Array
  correct: jax.Array
  weight: jax.Array
  grad_norm: jax.Array
  steps: jax.Array
  bad_step: jax.Array

  @classmethod
  def empty(cls) -> "Window":
    """Returns a window of no step."""
    return cls(  # Arrays of their own, since a step takes over each.
      loss=jnp.zeros((), jnp.float32),
      correct=jnp.zeros((), jnp.float32),
      weight=jnp.zeros((), jnp.float32),
      grad_norm=jnp.zeros((), jnp.float32),
      steps=jnp.zeros((), jnp.int32),
      bad_step=jnp.full((), -1, jnp.int32),
    )


class TrainState(struct.PyTreeNode):
  """Parameters and everything that changes with them.

  Attributes:
    step: Steps done.
    params: Parameters, float32.
    batch_stats: Running statistics of BatchNorm; {} without.
    opt_state: State of the optimizer.
    ema: Moving averages {"params", "batch_stats"}; {} without.
    window: Sums since the last logging step.
  """

  step: jax.Array
  params: Tree
  batch_stats: Tree
  opt_state: optax.OptState
  ema: Tree
  window: Window

  def variables(self) -> Tree:
    """Returns what `model.apply` takes in training."""
    return {"params": self.params, "batch_stats": self.batch_stats}

  def eval_variables(self) -> Tree:
    """Returns what `model.apply` takes in evaluation: averages, if kept."""
    return self.ema or self.variables()


def init_variables(
  model: nn.Module, clip_shape: tuple[int, ...], key: jax.Array
) -> Tree:
  """Returns fresh {"params", "batch_stats"} of a model; see `run_on_host`.

  Args:
    model: The module, called as `model(clip, train=...)`.
    clip_shape: (B, T, H, W, 3).
    key: Random key.
  """
  return run_on_host(_initialiser(model, clip_shape), key)


def variable_shapes(model: nn.Module, clip_shape: tuple[int, ...]) -> Tree:
  """Returns the shapes of what `init_variables` returns; computes nothing."""
  return jax.eval_shape(_initialiser(model, clip_shape), jax.random.key(0))


def create_state(
  variables: Tree, optimizer: optax.GradientTransformation, *, ema: bool
) -> TrainState:
  """Returns the state before step 0.

  Args:
    variables: {"params", "batch_stats"} to start from.
    optimizer: Gives the optimizer's first state.
    ema: Whether moving averages are kept.
  """
  return TrainState(
    step=jnp.zeros((), jnp.int32),
    params=variables["params"],
    batch_stats=variables["batch_stats"],
    opt_state=optimizer.init(variables["params"]),
    ema=jax.tree.map(jnp.copy, variables) if ema else {},
    window=Window.empty(),
  )


def state_shapes(
  variables: Tree, optimizer: optax.GradientTransformation, *, ema: bool
) -> TrainState:
  """Returns the shapes of what `create_state` returns; computes nothing."""
  return jax.eval_shape(
    lambda variables: create_state(variables, optimizer, ema=ema), variables
  )


def _initialiser(
  model: nn.Module, clip_shape: tuple[int, ...]
) -> Callable[[jax.Array], Tree]:
  """Returns key -> variables."""

  def init(key: jax.Array) -> Tree:
    variables = model.init(key, jnp.zeros(clip_shape, jnp.float32))
    return {"batch_stats": {}, **flax.core.unfreeze(variables)}

  return init
