"""The length of a run, and its steps of logging, tests and checkpoints."""

from typing import NamedTuple

import ml_collections

from temporal_jax import training


class Duration(NamedTuple):
  """Length of a run and of its warm-up.

  Attributes:
    num_steps: Steps of the run.
    warmup_steps: Warm-up steps among them; not rounded where
      it is in epochs.
    steps_per_epoch: Steps of one pass over the training videos, not rounded.
  """

  num_steps: int
  warmup_steps: float
  steps_per_epoch: float


def duration(config: ml_collections.ConfigDict, num_videos: int) -> Duration:
  """Returns the length of a run over so many training videos.

  Raises:
    ValueError: Unless one of num_steps and num_epochs is set, or if the warm-up
      is not shorter than the run.
  """
  if bool(config.num_steps) == bool(config.num_epochs):
    raise ValueError(
      "give either num_steps or num_epochs, the other 0; got "
      f"{config.num_steps} and {config.num_epochs}."
    )
  epoch = num_videos / config.batch_size
  optim = config.optim
  warmup_steps = optim.warmup_steps or optim.warmup_epochs * epoch
  if optim.schedule == "cosine_inclusive":
    warmup_steps = round(warmup_steps)
  num_steps = config.num_steps or max(round(config.num_epochs * epoch), 1)
  if warmup_steps >= num_steps:
    field = "steps" if optim.warmup_steps else "epochs"
    raise ValueError(
      f"the warm-up, optim.warmup_{field} {optim['warmup_' + field]}, has "
      f"{warmup_steps:g} steps, the run only {num_steps}: give a shorter one by "
      f"--config.optim.warmup_{field}."
    )
  return Duration(
    num_steps=num_steps,
    warmup_steps=warmup_steps,
    steps_per_epoch=epoch,
  )


def cadence(config: ml_collections.ConfigDict, length: Duration) -> training.Cadence:
  """Returns at which steps values are logged, tests are run, weights saved."""
  return training.Cadence(
    num_steps=length.num_steps,
    log_every=config.log_every,
    eval_every=config.eval_every,
    save_every=config.save_every,
    keeps_best=bool(config.keep_best),
  )
