"""Learning rate schedule and optimizer."""

import jax
import jax.numpy as jnp
import optax

OPTIMIZERS = ("adamw", "sgd")


def warmup_cosine(
  peak: float, *, warmup_steps: int, num_steps: int, end: float = 0.0
) -> optax.Schedule:
  """Linear warm-up from 0 to `peak`, then half a cosine down to `end`.

  Raises:
    ValueError: If the warm-up is not shorter than the run.
  """
  if not 0 <= warmup_steps < num_steps:
    raise ValueError(
      f"warmup_steps must be in [0, num_steps), got {warmup_steps} of "
      f"{num_steps}."
    )
  return optax.warmup_cosine_decay_schedule(
    init_value=0.0 if warmup_steps else peak,
    peak_value=peak,
    warmup_steps=warmup_steps,
    decay_steps=num_steps,
    end_value=end,
  )


def create_optimizer(
  name: str,
  schedule: optax.Schedule,
  *,
  weight_decay: float,
  momentum: float = 0.9,
  clip_norm: float = 0.0,
) -> optax.GradientTransformation:
  """Builds the optimizer.

  Args:
    name: "adamw" (decoupled decay) or "sgd" (Nesterov, decay in the gradient,
      as torch has it).
    schedule: Step -> learning rate.
    weight_decay: Strength; biases, scales and other vectors are left alone.
    momentum: Of SGD; AdamW has 0.9 and 0.999.
    clip_norm: Largest global norm of the gradient; 0 clips nothing.

  Raises:
    ValueError: If the name is not in `OPTIMIZERS`.
  """
  if name not in OPTIMIZERS:
    raise ValueError(f"optimizer must be in {OPTIMIZERS}, got {name!r}.")
  clip = optax.clip_by_global_norm(clip_norm) if clip_norm else optax.identity()
  if name == "adamw":
    update = optax.adamw(schedule, weight_decay=weight_decay, mask=_matrices)
  else:
    update = optax.chain(
      optax.add_decayed_weights(weight_decay, mask=_matrices),
      optax.sgd(schedule, momentum=momentum, nesterov=True),
    )
  return optax.chain(clip, update)


def _matrices(params: optax.Params) -> optax.Params:
  """True for the parameters that decay: those of two axes or more."""
  return jax.tree.map(lambda leaf: jnp.ndim(leaf) > 1, params)
