"""Learning rate schedules: the papers' own, step by step."""

import itertools
import math
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import optax

from temporal_jax.lookup import unknown_name

SCHEDULES = (
  "cosine",
  "cosine_inclusive",
  "cosine_whole_run",
  "cosine_drop",
  "cosine_by_epoch",
  "multistep",
  "constant",
)


def create_schedule(
  name: str,
  *,
  peak: float,
  num_steps: int,
  warmup_steps: float = 0,
  start: float = 0.0,
  end: float = 0.0,
  milestones: Sequence[float] = (),
  steps_per_epoch: float = 0,
) -> optax.Schedule:
  """Builds a schedule: step, counted from 0, -> learning rate.

  With t the step, N `num_steps`, W `warmup_steps`, E `steps_per_epoch` and
  c(x) = end + (peak - end) (1 + cos(pi x)) / 2:

    name              from step W on        the warm-up leads to  used by
    cosine            c((t - W) / (N - W))  peak                  TAdaFormer
    cosine_inclusive  c((t - W) / (N - W))  peak, at W - 1        ATM
    cosine_whole_run  c(t / N)              c(W / N)              X-ViT, TAda
    cosine_drop       c(t / N)              peak, then drops      ILA
    cosine_by_epoch   c(floor(t / E) E / N) the same, at W        bLVNet
    multistep         peak, a tenth of it after each milestone    ATM's ResNets,
                                                            longer bLVNets
    constant          peak                  peak

  The warm-up is linear: `start` at step 0 and the table's value at step W.
  ATM's is NumPy's `linspace`, whose last step has the peak, as has the next.

  Args:
    name: One of `SCHEDULES`.
    peak: Highest learning rate.
    num_steps: Length of the run. Step `num_steps`, which is not done, would
      have `end`.
    warmup_steps: Length of the warm-up; a part of a step counts too.
    start: Learning rate of step 0 if there is a warm-up.
    end: Last value of a cosine schedule.
    milestones: Milestones of "multistep": first step of each tenth.
    steps_per_epoch: Steps per epoch of "cosine_by_epoch".

  Returns:
    A function that can be traced; float32.

  Raises:
    ValueError: If the name is unknown, a value is out of its range, the warm-up
      is not shorter than the run, milestones are not rising between its end and
      the run's, or the schedule has no use for a value that is given.

  Source: `cosine_scheduler` in utils.py of whwu95/ATM; `build_scheduler` in
    utils/optimizer.py of Francis-Rings/ILA, whose t lags by one part of an
    accumulated batch; utils/lr_policy.py of 1adrianb/video-transformers;
    models/utils/lr_policy.py of alibaba-mmai-research/TAdaConv; train.py of
    IBM/bLVNet-TAM.
  """
  _check(name, peak, num_steps, warmup_steps, start, end)
  _check_milestones(name, milestones, warmup_steps, num_steps)
  if name == "cosine_by_epoch" and steps_per_epoch <= 0:
    raise ValueError(f"cosine_by_epoch needs steps_per_epoch, got {steps_per_epoch}.")
  after = _after_warmup(
    name, peak, end, num_steps, warmup_steps, milestones, steps_per_epoch
  )
  if not warmup_steps:
    return lambda step: after(jnp.asarray(step, jnp.float32))
  inclusive = name == "cosine_inclusive"
  length = max(warmup_steps - 1, 1) if inclusive else warmup_steps

  def schedule(step: jax.Array) -> jax.Array:
    step = jnp.asarray(step, jnp.float32)
    joined = not inclusive and name != "cosine_drop"
    top = after(jnp.float32(warmup_steps)) if joined else peak
    rise = start + (top - start) * step / length
    return jnp.where(step < warmup_steps, rise, after(step))

  return schedule


def _after_warmup(
  name: str,
  peak: float,
  end: float,
  num_steps: int,
  warmup_steps: float,
  milestones: Sequence[float],
  steps_per_epoch: float,
) -> optax.Schedule:
  """Returns the table's learning rate from step W on."""
  if name == "multistep":
    tenths = dict.fromkeys(milestones, 0.1)
    return optax.piecewise_constant_schedule(jnp.float32(peak), tenths)
  if name == "constant":
    return lambda step: jnp.full_like(step, peak)
  joined = name in ("cosine", "cosine_inclusive")
  origin = warmup_steps if joined else 0
  shape = optax.cosine_decay_schedule(1.0, num_steps - origin)

  def cosine(step: jax.Array) -> jax.Array:
    if name == "cosine_by_epoch":
      step = step // steps_per_epoch * steps_per_epoch
    return end + (peak - end) * shape(step - origin)

  return cosine


def _check(
  name: str,
  peak: float,
  num_steps: int,
  warmup_steps: float,
  start: float,
  end: float,
) -> None:
  """Raises ValueError at the first value that makes no sense."""
  if name not in SCHEDULES:
    raise ValueError(unknown_name(name, SCHEDULES, "schedule"))
  for word, value in (("peak", peak), ("start", start), ("end", end)):
    if not 0 <= value < math.inf:
      raise ValueError(f"{word} must be 0 or above, got {value}.")
  if not 0 <= warmup_steps < num_steps:
    raise ValueError(
      f"warmup_steps must be in [0, num_steps), got {warmup_steps} of {num_steps}."
    )
  if name == "cosine_inclusive" and warmup_steps != int(warmup_steps):
    raise ValueError(f"cosine_inclusive needs whole warmup_steps, got {warmup_steps}.")
  if start and not warmup_steps:
    raise ValueError(f"start {start} is of a warm-up, but warmup_steps is 0.")
  if end and not name.startswith("cosine"):
    raise ValueError(f"{name} has no end, got {end}.")


def _check_milestones(
  name: str, milestones: Sequence[float], warmup_steps: float, num_steps: int
) -> None:
  """Raises ValueError unless they rise from the warm-up's end to the run's."""
  if (name == "multistep") != bool(milestones):
    raise ValueError(
      f"milestones are for multistep, which needs them; got {name} and "
      f"{tuple(milestones)}."
    )
  bounds = (warmup_steps, *milestones, num_steps)
  if any(a >= b for a, b in itertools.pairwise(bounds)):
    raise ValueError(
      f"milestones must rise between the warm-up's end {warmup_steps} and "
      f"num_steps {num_steps}, got {tuple(milestones)}."
    )
