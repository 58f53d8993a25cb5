"""One training step and one evaluation step, compiled for a mesh."""

from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax

from temporal_jax.training import loss, sharding
from temporal_jax.training.state import TrainState, Tree, Window

Arrays = dict[str, jax.Array]
# (key, uint8 clips, labels) -> (float clips, labels).
Augment = Callable[
  [jax.Array, jax.Array, jax.Array], tuple[jax.Array, jax.Array]
]


def make_train_step(
  model: nn.Module,
  optimizer: optax.GradientTransformation,
  augment: Augment,
  mesh: jax.sharding.Mesh,
  *,
  seed: int,
  label_smoothing: float = 0.0,
  ema_decay: float = 0.0,
) -> Callable[[TrainState, Arrays], TrainState]:
  """Returns the jitted `step(state, batch) -> state`.

  All randomness of a step follows from `seed` and the step's number. The step
  takes over the memory of the state it is given.

  Args:
    model: Called as `model(clip, train=True) -> (logits, aux)`.
    optimizer: The state's optimizer.
    augment: Turns uint8 clips into the model's input.
    mesh: The batch is spread over its data axis.
    seed: Of augmentation and dropout.
    label_smoothing: See `loss.cross_entropy`.
    ema_decay: Share of the old average that stays, at most
      (1 + step) / (10 + step); 0 if no averages are kept.
  """

  def step(state: TrainState, batch: Arrays) -> TrainState:
    key = jax.random.fold_in(jax.random.key(seed), state.step)
    augment_key, dropout_key = jax.random.split(key)
    clip, label = augment(augment_key, batch["clip"], batch["label"])
    weight = batch["weight"]

    def objective(params: Tree) -> tuple[jax.Array, tuple]:
      (logits, _), updates = model.apply(
        {"params": params, "batch_stats": state.batch_stats},
        clip,
        train=True,
        rngs={"dropout": dropout_key},
        mutable=["batch_stats"],
      )
      losses = loss.cross_entropy(logits, label, smoothing=label_smoothing)
      mean = loss.weighted_mean(losses, weight)
      return mean, (logits, losses, updates.get("batch_stats", {}))

    (mean, (logits, losses, batch_stats)), grads = jax.value_and_grad(
      objective, has_aux=True
    )(state.params)
    grad_norm = optax.tree.norm(grads)
    updates, opt_state = optimizer.update(grads, state.opt_state, state.params)
    params = optax.apply_updates(state.params, updates)
    correct = (jnp.argmax(logits, -1) == label).astype(jnp.float32)
    finite = jnp.isfinite(mean) & jnp.isfinite(grad_norm)
    return state.replace(
      step=state.step + 1,
      params=params,
      batch_stats=batch_stats,
      opt_state=opt_state,
      ema=_average(state, params, batch_stats, ema_decay),
      window=_extend(
        state.window, state.step, losses, correct, weight, grad_norm, finite
      ),
    )

  whole, split = sharding.replicated(mesh), sharding.over_batch(mesh)
  return jax.jit(
    step,
    in_shardings=(whole, split),
    out_shardings=whole,
    donate_argnums=0,
  )


def make_eval_step(
  model: nn.Module,
  preprocess: Callable[[jax.Array], jax.Array],
  mesh: jax.sharding.Mesh,
) -> Callable[[Tree, jax.Array], jax.Array]:
  """Returns the jitted `step(variables, clips) -> probabilities (B, L)`.

  Args:
    model: Called as `model(clip, train=False) -> (logits, aux)`.
    preprocess: Turns uint8 clips into the model's input.
    mesh: The clips are spread over its data axis.
  """

  def step(variables: Tree, clip: jax.Array) -> jax.Array:
    logits, _ = model.apply(variables, preprocess(clip), train=False)
    return jax.nn.softmax(logits.astype(jnp.float32))

  whole, split = sharding.replicated(mesh), sharding.over_batch(mesh)
  return jax.jit(step, in_shardings=(whole, split), out_shardings=whole)


def _average(
  state: TrainState, params: Tree, batch_stats: Tree, decay: float
) -> Tree:
  """Moves the averages; young averages forget faster."""
  if not state.ema:
    return {}
  step = state.step.astype(jnp.float32)
  keep = jnp.minimum(decay, (1 + step) / (10 + step))
  new = {"params": params, "batch_stats": batch_stats}
  return jax.tree.map(lambda a, b: keep * a + (1 - keep) * b, state.ema, new)


def _extend(
  window: Window,
  step: jax.Array,
  losses: jax.Array,
  correct: jax.Array,
  weight: jax.Array,
  grad_norm: jax.Array,
  finite: jax.Array,
) -> Window:
  """Adds one step to the window."""
  first_bad = (window.bad_step < 0) & ~finite
  return Window(
    loss=window.loss + jnp.sum(losses * weight),
    correct=window.correct + jnp.sum(correct * weight),
    weight=window.weight + jnp.sum(weight),
    grad_norm=window.grad_norm + grad_norm,
    steps=window.steps + 1,
    bad_step=jnp.where(first_bad, step, window.bad_step),
  )
