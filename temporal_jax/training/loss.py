"""Losses of clips, one number each."""

import jax
import jax.numpy as jnp
import optax


def cross_entropy(
  logits: jax.Array, label: jax.Array, *, smoothing: float = 0.0
) -> jax.Array:
  """Cross-entropy with label smoothing.

  The target is 1 - smoothing + smoothing / L at the label and smoothing / L
  elsewhere.

  Args:
    logits: (B, L), any float dtype; computed in float32.
    label: (B,) int32 in [0, L).
    smoothing: In [0, 1).

  Returns:
    Loss of each clip (B,), float32.
  """
  target = jax.nn.one_hot(label, logits.shape[-1])
  target = optax.smooth_labels(target, smoothing)
  return optax.softmax_cross_entropy(logits.astype(jnp.float32), target)


def weighted_mean(values: jax.Array, weight: jax.Array) -> jax.Array:
  """Mean of (B,) values by weight (B,); 0 where all weights are."""
  return jnp.sum(values * weight) / jnp.maximum(jnp.sum(weight), 1.0)
