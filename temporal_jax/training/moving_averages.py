"""Exponential moving averages of the weights, used for evaluation."""

import jax
import jax.numpy as jnp

from temporal_jax.training.state import Tree


def move_averages(
  averages: Tree,
  variables: Tree,
  step: int | jax.Array,
  *,
  decay: float,
  warmup: bool,
) -> Tree:
  """Moves averages towards the variables that a step has led to.

  average <- keep * average + (1 - keep) * variable

  Args:
    averages: {"params", "batch_stats"}, before the step.
    variables: The same tree, after the step.
    step: Number of the step, counted from 0; may be traced.
    decay: Share of an average that stays, `keep`.
    warmup: Whether `keep` is at most (1 + step) / (10 + step), so that young
      averages forget where they started.

  Returns:
    The averages after the step.

  Raises:
    ValueError: If the decay is not in [0, 1).
  """
  if not 0 <= decay < 1:
    raise ValueError(f"decay of averages must be in [0, 1), got {decay}.")
  keep = jnp.float32(decay)
  if warmup:
    step = jnp.asarray(step, jnp.float32)
    keep = jnp.minimum(keep, (1 + step) / (10 + step))
  return jax.tree.map(lambda a, b: keep * a + (1 - keep) * b, averages, variables)
