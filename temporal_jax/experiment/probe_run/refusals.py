"""Refuses what a probe would pass over or replace, before it starts."""

import pathlib
import re

import ml_collections

from temporal_jax import training
from temporal_jax.storage import refuse_bucket

# Fields of steps, of clips that are drawn and augmented, and of records.
_UNUSED = re.compile(
  r"num_(steps|epochs)|batch_size|(optim|adapters|mesh|mix)\..*|sharding"
  r"|(log|eval|save)_every|keep_(checkpoints|best)|stop_after|observers|project"
  r"|model\.(freeze_batch_norm|disturbance_decay_epoch)|loss\.alignment"
  r"|data\.(augment|balance|canvas|flip_pairs|repeats|time_limit)"
)


def check_probe(
  config: ml_collections.ConfigDict,
  defaults: ml_collections.ConfigDict,
  workdir: pathlib.Path,
  profile: str | None,
) -> None:
  """Checks that a probe uses all that is set, and replaces no other run.

  Args:
    config: The run's config, as it was given.
    defaults: Config of a probe in which nothing is set.
    workdir: Folder of the run.
    profile: Steps to trace; None for none.

  Raises:
    ValueError: If a field is set that only runs of steps have, there are steps
      to trace, the folder has checkpoints, or the cache is in a bucket.
  """
  refuse_bucket(config.probe.cache, "probe.cache")
  if training.has_checkpoint(workdir):
    raise ValueError(
      f"{workdir} has the checkpoints of another run, whose report a probe would "
      f"replace: take a new --workdir; --config.init_from={workdir} gives the probe "
      "its weights."
    )
  if profile:
    raise ValueError(f"--profile={profile}: a probe has no steps to trace.")
  usual = training.flat_fields(defaults.to_dict())
  given = training.flat_fields(config.to_dict())
  excess = [
    f"{name} {value!r}"
    for name, value in given.items()
    if _UNUSED.fullmatch(name) and value != usual.get(name, value)
  ]
  if excess:
    more = f" and {len(excess) - 5} more" if len(excess) > 5 else ""
    raise ValueError(
      f"a probe has no use for {', '.join(excess[:5])}{more}: leave it out; "
      "config.probe sets the training of its head, and loss.class_weights weighs "
      "the classes."
    )
