"""The schedule of the disturbance of ILA's masks."""

import jax
import jax.numpy as jnp


def mask_disturbance(
  epoch: int | jax.Array, *, initial: float = 0.2, decay_start: int = 30
) -> jax.Array:
  """Returns the disturbance of `LearnableAlignment` in an epoch.

  It is `initial` until epoch `decay_start`, from which on, that epoch included,
  it is halved at the start of every epoch. The published runs have 50 epochs.
  The paper's supplement does not mention it; the reference code forgets the
  decay when it resumes, which this function of the epoch does not.

  Args:
    epoch: Epoch, counted from 0; may be traced.
    initial: Offset at first, in half frames.
    decay_start: First epoch of a smaller offset.

  Returns:
    The offset, a float32 scalar.

  Source: `train_one_epoch` in main.py and `align_decay` in models/align.py of
    Francis-Rings/ILA.
  """
  halvings = jnp.maximum(jnp.asarray(epoch) - decay_start + 1, 0)
  return jnp.asarray(initial, jnp.float32) * jnp.exp2(-halvings.astype(jnp.float32))
