"""One training step and one evaluation step, compiled for a mesh."""

import contextlib
import dataclasses
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax

from temporal_jax.training.frozen_batch_norm import frozen_batch_norm
from temporal_jax.training.gradients import accumulate
from temporal_jax.training.loss import Loss, Tasks
from temporal_jax.training.moving_averages import move_averages
from temporal_jax.training.parallel.mesh import over_batch, replicated
from temporal_jax.training.parallel.parameter_sharding import make_gather
from temporal_jax.training.parameter_groups import Group, stop_frozen
from temporal_jax.training.state import TrainState, Tree, Window

Arrays = dict[str, jax.Array]
# (key, uint8 clips, labels, true sizes) -> (float clips, labels).
Augment = Callable[..., tuple[jax.Array, jax.Array]]
# (key, clips, targets) -> (clips, targets).
Mix = Callable[[jax.Array, jax.Array, Tasks], tuple[jax.Array, Tasks]]


@dataclasses.dataclass(frozen=True)
class StepSpec:
  """What happens in a training step.

  Attributes:
    network: The network, or step -> the network, where it changes on the way.
    optimizer: The state's optimizer.
    loss: Of a clip.
    augment: Turns uint8 clips into the network's input; may repeat them.
    seed: Of augmentation and dropout.
    mix: Mixes clips and targets; None for none.
    inputs: Other arguments of the network, e.g. {"text": tokens}.
    aux_weights: Weights of losses that the network returns in its aux; one that
      it does not return counts nothing.
    groups: Of the parameters, by name: gradients of frozen ones are not
      computed, nor counted in the logged norm; {} freezes none.
    freeze_batch_norm: Whether BatchNorm uses its statistics.
    num_microbatches: Parts of a batch that are computed one after the other; it
      divides the clips of each device.
    ema_decay: Share of the old average that stays; see `move_averages`.
    ema_warmup: Whether young averages forget faster.
  """

  network: nn.Module | Callable[[jax.Array], nn.Module]
  optimizer: optax.GradientTransformation
  loss: Loss
  augment: Augment
  seed: int
  mix: Mix | None = None
  inputs: Mapping[str, jax.Array] = dataclasses.field(default_factory=dict)
  aux_weights: Mapping[str, float] = dataclasses.field(default_factory=dict)
  groups: Mapping[str, Group] = dataclasses.field(default_factory=dict)
  freeze_batch_norm: bool = False
  num_microbatches: int = 1
  ema_decay: float = 0.0
  ema_warmup: bool = True

  def network_at(self, step: jax.Array) -> nn.Module:
    """Returns the network of a step."""
    if isinstance(self.network, nn.Module):
      return self.network
    return self.network(step)


class _Batch(NamedTuple):
  """Clips (B, T, S, S, 3), targets (B, L) and weights (B,)."""

  clip: jax.Array
  target: Tasks
  weight: jax.Array


def make_train_step(
  spec: StepSpec, mesh: jax.sharding.Mesh, layout: TrainState
) -> Callable[[TrainState, Arrays], TrainState]:
  """Returns the jitted `step(state, batch) -> state`.

  All randomness of a step follows from the seed and the step's number. The step
  takes over the memory of the state it is given.

  Args:
    spec: What happens in it.
    mesh: Clips are spread over its axes data and fsdp.
    layout: Sharding of every array of the state.
  """
  split, gather = over_batch(mesh), make_gather(layout.params)

  def step(state: TrainState, batch: Arrays) -> TrainState:
    key = jax.random.fold_in(jax.random.key(spec.seed), state.step)
    input_key, dropout_key = jax.random.split(key)
    clips = _prepare(spec, input_key, batch)
    total = jnp.maximum(jnp.sum(clips.weight), 1.0)
    network = spec.network_at(state.step)

    def objective(
      params: Tree, batch_stats: Tree, part: _Batch, number: jax.Array
    ) -> tuple[jax.Array, tuple[Tree, Arrays]]:
      params = gather(stop_frozen(params, spec.groups))
      part = jax.lax.with_sharding_constraint(part, split)
      with _statistics(spec):
        (logits, aux), updates = network.apply(
          {"params": params, "batch_stats": batch_stats},
          part.clip,
          **spec.inputs,
          train=True,
          rngs={"dropout": jax.random.fold_in(dropout_key, number)},
          mutable=["batch_stats"],
        )
      losses = spec.loss(logits, part.target)
      value = jnp.sum(losses * part.weight) / total
      for name, weight in spec.aux_weights.items():
        value += weight / spec.num_microbatches * aux.get(name, 0.0)
      sums = {
        "loss": jnp.sum(losses * part.weight),
        "correct": jnp.sum(spec.loss.hits(logits, part.target) * part.weight),
      }
      return value, (updates.get("batch_stats", {}), sums)

    value, grads, batch_stats, sums = accumulate(
      objective,
      state.params,
      state.batch_stats,
      clips,
      num_microbatches=spec.num_microbatches,
    )
    grad_norm = optax.tree.norm(grads)
    updates, opt_state = spec.optimizer.update(grads, state.opt_state, state.params)
    params = optax.apply_updates(state.params, updates)
    finite = jnp.isfinite(value) & jnp.isfinite(grad_norm)
    new = state.replace(
      step=state.step + 1,
      params=params,
      batch_stats=batch_stats,
      opt_state=opt_state,
      window=_extend(state, sums, jnp.sum(clips.weight), grad_norm, finite),
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
    step,
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
    variables = {**variables, "params": gather(variables["params"])}

    def score(clip: jax.Array) -> Tasks:
      logits, _ = network.apply(variables, preprocess(clip), **inputs, train=False)
      return probabilities(logits)

    if clip.ndim == 5:
      return score(clip)
    views = jax.lax.map(score, clip.swapaxes(0, 1))
    return jax.tree.map(lambda scores: scores.swapaxes(0, 1), views)

  return jax.jit(
    step,
    in_shardings=(layout, over_batch(mesh)),
    out_shardings=replicated(mesh),
  )


def _prepare(spec: StepSpec, key: jax.Array, batch: Arrays) -> _Batch:
  """Augments, encodes the labels and mixes."""
  augment_key, mix_key = jax.random.split(key)
  clip, label = spec.augment(
    augment_key, batch["clip"], batch["label"], batch.get("size")
  )
  repeats = clip.shape[0] // batch["weight"].shape[0]
  target = spec.loss.targets(label)
  if spec.mix is not None:
    clip, target = spec.mix(mix_key, clip, target)
  return _Batch(clip, target, jnp.repeat(batch["weight"], repeats))


def _statistics(spec: StepSpec) -> contextlib.AbstractContextManager:
  """Freezes BatchNorm if it is to be."""
  if spec.freeze_batch_norm:
    return frozen_batch_norm()
  return contextlib.nullcontext()


def _extend(
  state: TrainState,
  sums: Arrays,
  weight: jax.Array,
  grad_norm: jax.Array,
  finite: jax.Array,
) -> Window:
  """Adds one step to the window."""
  window: Any = state.window
  first_bad = (window.bad_step < 0) & ~finite
  return Window(
    loss=window.loss + sums["loss"],
    correct=window.correct + sums["correct"],
    weight=window.weight + weight,
    grad_norm=window.grad_norm + grad_norm,
    steps=window.steps + 1,
    bad_step=jnp.where(first_bad, state.step, window.bad_step),
  )
