"""Trains a head on inputs that are in memory."""

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

from temporal_jax import training
from temporal_jax.models.blocks.heads import AverageConsensus

_LBFGS_STEPS = 500
_SMALL_GRADIENT = 1e-4  # Norm at which a logistic regression has converged.
_BATCH = 256  # Inputs of a step of AdamW.
_WARM_UP = 0.1  # Share of the steps.
# Deviations of a constant channel, as a part of its mean, are below it.
_ROUNDING = 1e-5


class Inputs(NamedTuple):
  """Inputs of a head, and what it should answer.

  Attributes:
    x: (N, T', D) float32.
    labels: (N, ...), see `Loss.targets`.
    weight: (N,) float32, 0 for inputs that are left out.
  """

  x: jax.Array
  labels: jax.Array
  weight: jax.Array


# Without eq, as `jit` hashes it, and a loss of several tasks has dicts.
@dataclasses.dataclass(frozen=True, eq=False)
class HeadFit:
  """Way of training a head.

  A linear head is a logistic regression on the average over frames, whose
  channels are brought to mean 0 and deviation 1: L-BFGS minimises

    mean loss + strength / 2 * sum of squared weights,

  which has one minimum. Other heads are trained by AdamW, with the strength as
  weight decay, over batches that are drawn by the weights.

  Attributes:
    head: The head.
    loss: Its loss.
    num_steps: Steps of AdamW.
    lr: Its peak learning rate.
    seed: Seed of first values, batches and dropout.
  """

  head: nn.Module
  loss: training.Loss
  num_steps: int
  lr: float
  seed: int

  @property
  def is_linear(self) -> bool:
    """Whether the head is a linear classifier of the average."""
    return isinstance(self.head, AverageConsensus)

  def __call__(self, data: Inputs, strength: jax.Array) -> Mapping[str, Any]:
    """Returns the parameters of the trained head; works under `jit`.

    Args:
      data: Inputs to train on.
      strength: Strength of the penalty, or of the weight decay.
    """
    if self.is_linear:
      return self._regress(data, strength)
    return self._train(data, strength)

  def probabilities(self, params: Mapping[str, Any], x: jax.Array) -> Any:
    """Returns probabilities (N, L), or a dict of them by task."""
    logits, _ = self.head.apply({"params": params}, x, train=False)
    return self.loss.probabilities(logits)

  def _first(self, x: jax.Array) -> Mapping[str, Any]:
    return self.head.init(jax.random.key(self.seed), x[:1])["params"]

  def _regress(self, data: Inputs, strength: jax.Array) -> Mapping[str, Any]:
    """Fits a logistic regression."""
    x = jnp.mean(data.x, axis=1)  # (N, D)
    share = data.weight / jnp.sum(data.weight)  # (N,)
    mean = share @ x  # (D,)
    deviation = jnp.sqrt(share @ (x - mean[None]) ** 2)
    varies = deviation > _ROUNDING * jnp.abs(mean)
    scale = jnp.where(varies, 1 / jnp.where(varies, deviation, 1.0), 0.0)
    x = ((x - mean[None]) * scale[None])[:, None]  # (N, 1, D)
    target = self.loss.targets(data.labels)

    def value(params: Mapping[str, Any]) -> jax.Array:
      logits, _ = self.head.apply({"params": params}, x)
      kernels = [leaf for leaf in jax.tree.leaves(params) if leaf.ndim == 2]
      penalty = sum(jnp.sum(kernel**2) for kernel in kernels)
      return share @ self.loss(logits, target) + strength / 2 * penalty

    params = jax.tree.map(jnp.zeros_like, self._first(x))
    params = _minimize(value, params)

    def unscale(task: Mapping[str, jax.Array]) -> Mapping[str, jax.Array]:
      kernel = task["kernel"] * scale[:, None]  # (D, L)
      return {"kernel": kernel, "bias": task["bias"] - mean @ kernel}

    if "kernel" in params:
      return unscale(params)
    return {task: unscale(of_task) for task, of_task in params.items()}

  def _train(self, data: Inputs, strength: jax.Array) -> Mapping[str, Any]:
    """Trains by AdamW."""
    count, batch = len(data.x), min(len(data.x), _BATCH)
    target = self.loss.targets(data.labels)
    share = data.weight / jnp.sum(data.weight)
    schedule = optax.warmup_cosine_decay_schedule(
      0.0, self.lr, int(_WARM_UP * self.num_steps), self.num_steps
    )
    optimizer = optax.adamw(
      schedule,
      weight_decay=strength,
      mask=lambda params: jax.tree.map(lambda leaf: leaf.ndim > 1, params),
    )
    params = self._first(data.x)

    def step(carry: Any, key: jax.Array) -> tuple[Any, None]:
      params, state = carry
      draw, drop = jax.random.split(key)
      rows = jax.random.choice(draw, count, (batch,), p=share)

      def value(params: Mapping[str, Any]) -> jax.Array:
        logits, _ = self.head.apply(
          {"params": params}, data.x[rows], train=True, rngs={"dropout": drop}
        )
        return jnp.mean(self.loss(logits, jax.tree.map(lambda y: y[rows], target)))

      updates, state = optimizer.update(jax.grad(value)(params), state, params)
      return (optax.apply_updates(params, updates), state), None

    keys = jax.random.split(jax.random.key(self.seed + 1), self.num_steps)
    (params, _), _ = jax.lax.scan(step, (params, optimizer.init(params)), keys)
    return params


def _minimize(value: Any, params: Any) -> Any:
  """Returns the minimum of a convex function, by L-BFGS."""
  optimizer = optax.lbfgs()
  value_and_grad = optax.value_and_grad_from_state(value)

  def step(carry: Any) -> Any:
    params, state, count, _ = carry
    loss, gradient = value_and_grad(params, state=state)
    updates, state = optimizer.update(
      gradient, state, params, value=loss, grad=gradient, value_fn=value
    )
    params = optax.apply_updates(params, updates)
    return params, state, count + 1, optax.tree.norm(gradient)

  def goes_on(carry: Any) -> jax.Array:
    _, _, count, norm = carry
    return (count < _LBFGS_STEPS) & (norm > _SMALL_GRADIENT)

  first = (params, optimizer.init(params), 0, jnp.inf)
  return jax.lax.while_loop(goes_on, step, first)[0]


class CrossValidation(NamedTuple):
  """Answers for held-out videos.

  Attributes:
    scores: Probabilities (n, V, L) of each video by a head that was trained
      without its fold, or a dict of them by task.
    strength: Strength whose held-out loss over all folds is smallest.
  """

  scores: Any
  strength: float


def _halves(folds: np.ndarray) -> np.ndarray:
  """Divides each of two folds: without the other one none would be left."""
  halves = 2 * folds
  for fold in (0, 1):
    halves[folds == fold] += np.arange(np.sum(folds == fold)) % 2
  return halves


def cross_validate(
  fit: HeadFit,
  rows: np.ndarray,
  labels: np.ndarray,
  folds: np.ndarray,
  strengths: tuple[float, ...],
) -> CrossValidation:
  """Trains without each fold, and answers for it.

  The strength for a fold is chosen within the others, so that the answers
  depend on nothing of their fold.

  Args:
    fit: Trains the head.
    rows: Inputs (n, V, T', D) of n videos with V views each.
    labels: Their labels (n, ...).
    folds: Fold of each video, (n,), from 0, two at least.
    strengths: Strengths to choose from.
  """
  views = rows.shape[1]
  x = jnp.asarray(rows.reshape(-1, *rows.shape[2:]))  # (n V, T', D)
  targets = jnp.asarray(np.repeat(labels, views, axis=0))
  inner = folds if folds.max() > 1 else _halves(folds)

  @jax.jit
  def answers(kept: jax.Array, strength: jax.Array) -> tuple[Any, jax.Array]:
    """Returns probabilities and losses of all rows."""
    params = fit(Inputs(x, targets, kept), strength)
    logits, _ = fit.head.apply({"params": params}, x, train=False)
    losses = fit.loss(logits, fit.loss.targets(targets))
    return fit.loss.probabilities(logits), losses

  def held_out_loss(allowed: np.ndarray, strength: float) -> float:
    """Returns the mean loss over the folds among allowed videos."""
    total = 0.0
    for fold in np.unique(inner[allowed]):
      out = allowed & (inner == fold)
      kept = np.repeat(allowed & ~out, views).astype(np.float32)
      _, losses = answers(kept, jnp.float32(strength))
      total += float(np.asarray(losses)[np.repeat(out, views)].sum())
    return total

  def best(allowed: np.ndarray) -> float:
    if len(strengths) == 1:
      return strengths[0]
    return min(strengths, key=functools.partial(held_out_loss, allowed))

  held_out = []
  for fold in range(folds.max() + 1):
    others = folds != fold
    kept = np.repeat(others, views).astype(np.float32)
    scores, _ = answers(kept, jnp.float32(best(others)))
    held_out.append(jax.tree.map(np.asarray, scores))
  rows_of = np.repeat(folds, views), np.arange(len(x))  # Fold and place of a row.
  scores = jax.tree.map(
    lambda *by_fold: np.stack(by_fold)[rows_of].reshape(len(rows), views, -1),
    *held_out,
  )
  return CrossValidation(scores, best(np.ones(len(folds), bool)))
