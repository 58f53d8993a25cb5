"""One training step and one evaluation step, compiled for a mesh."""

import dataclasses
from collections.abc import Callable, Mapping
from types import MappingProxyType

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax

from temporal_jax.training.gradients import accumulate
from temporal_jax.training.loss import Tasks
from temporal_jax.training.low_rank import merge
from temporal_jax.training.moving_averages import move_averages
from temporal_jax.training.objective import Arrays, Objective
from temporal_jax.training.parallel.mesh import over_batch, replicated, within_mesh
from temporal_jax.training.parallel.parameter_sharding import make_gather
from temporal_jax.training.parameter_groups import Group, stop_frozen
from temporal_jax.training.state import TrainState, Tree, Window


@dataclasses.dataclass(frozen=True)
class StepSpec:
  """Objective, optimizer and settings of a training step.

  Attributes:
    objective: Minimised objective.
    optimizer: The state's optimizer.
    seed: Seed of all that is random in a step.
    groups: Groups of the parameters, by name: gradients of frozen ones are not
      computed, nor counted in the logged norm; {} freezes none.
    num_microbatches: Parts of a batch that are computed one after the other; it
      divides the examples of each device.
    ema_decay: Share of the old average that stays; see `move_averages`.
    ema_warmup: Whether a smaller decay is used during the first steps.
  """

  objective: Objective
  optimizer: optax.GradientTransformation
  seed: int
  groups: Mapping[str, Group] = dataclasses.field(default_factory=dict)
  num_microbatches: int = 1
  ema_decay: float = 0.0
  ema_warmup: bool = True


def make_train_step(
  spec: StepSpec, mesh: jax.sharding.Mesh, layout: TrainState
) -> Callable[[TrainState, Arrays], TrainState]:
  """Returns the jitted `step(state, batch) -> state`.

  The network gets its parameters from `merge`, with adapters in their kernels.

  All randomness of a step follows from the seed and the step's number. The step
  takes over the memory of the state it is given.

  Args:
    spec: Objective, optimizer and settings of the step.
    mesh: Examples are spread over its axes data and fsdp.
    layout: Sharding of every array of the state.
  """
  split, gather = over_batch(mesh), make_gather(layout.params)

  def step(state: TrainState, batch: Arrays) -> TrainState:
    key = jax.random.fold_in(jax.random.key(spec.seed), state.step)
    input_key, dropout_key = jax.random.split(key)
    prepared = spec.objective.prepare(input_key, state.step, batch)

    def value_of_part(
      params: Tree, batch_stats: Tree, part: Tree, number: jax.Array
    ) -> tuple[jax.Array, tuple[Tree, Arrays]]:
      params = merge(gather(stop_frozen(params, spec.groups)))
      part = jax.lax.with_sharding_constraint(part, split)
      value = prepared.loss(
        {"params": params, "batch_stats": batch_stats},
        part,
        jax.random.fold_in(dropout_key, number),
        spec.num_microbatches,
      )
      return value.value, (value.batch_stats, value.sums)

    value, grads, batch_stats, sums = accumulate(
      value_of_part,
      state.params,
      state.batch_stats,
      prepared.examples,
      num_microbatches=spec.num_microbatches,
    )
    grad_norm = optax.tree.norm(grads)
    updates, opt_state = spec.optimizer.update(grads, state.opt_state, state.params)
    params = optax.apply_updates(state.params, updates)
    finite = jnp.isfinite(value) & jnp.isfinite(grad_norm)
    sums = {**sums, "weight": prepared.weight, "grad_norm": grad_norm}
    new = state.replace(
      step=state.step + 1,
      params=params,
      batch_stats=batch_stats,
      opt_state=opt_state,
      window=_extend(state, sums, finite),
    )
    if not state.ema:
      return new
    averages = move_averages(
      state.ema,
      new.variables(),
      state.step,
      decay=spec.ema_decay,
      warmup=spec.ema_warmup,
    )
    return new.replace(ema=averages)

  return jax.jit(
    within_mesh(step, mesh),
    in_shardings=(layout, split),
    out_shardings=layout,
    donate_argnums=0,
  )


def make_eval_step(
  network: nn.Module,
  preprocess: Callable[[jax.Array], jax.Array],
  probabilities: Callable[[Tasks], Tasks],
  mesh: jax.sharding.Mesh,
  layout: Tree,
  inputs: Mapping[str, jax.Array] = MappingProxyType({}),
) -> Callable[[Tree, jax.Array], Tasks]:
  """Returns the jitted `step(variables, clips) -> probabilities (B, L)`.

  Of V views of each video, clips (B, V, T, H, W, C), they are (B, V, L); views
  are computed one after the other.

  Args:
    network: Called as `network(clip, train=False) -> (logits, aux)`.
    preprocess: Turns uint8 clips into the network's input.
    probabilities: Logits to probabilities, see `Loss.probabilities`.
    mesh: The clips are spread over its axes data and fsdp.
    layout: Sharding of every array of the variables.
    inputs: Other arguments of the network.
  """
  gather = make_gather(layout["params"])

  def step(variables: Tree, clip: jax.Array) -> Tasks:
    variables = {**variables, "params": merge(gather(variables["params"]))}

    def score(clip: jax.Array) -> Tasks:
      logits, _ = network.apply(variables, preprocess(clip), **inputs, train=False)
      return probabilities(logits)

    if clip.ndim == 5:
      return score(clip)
    views = jax.lax.map(score, clip.swapaxes(0, 1))
    return jax.tree.map(lambda scores: scores.swapaxes(0, 1), views)

  return jax.jit(
    within_mesh(step, mesh),
    in_shardings=(layout, over_batch(mesh)),
    out_shardings=replicated(mesh),
  )


def _extend(state: TrainState, sums: Arrays, finite: jax.Array) -> Window:
  """Adds one step to the window."""
  window = state.window
  first_bad = (window["bad_step"] < 0) & ~finite
  return {
    **{name: window[name] + value for name, value in sums.items()},
    "steps": window["steps"] + 1,
    "bad_step": jnp.where(first_bad, state.step, window["bad_step"]),
  }
