"""Checks of a start that need no videos: all stages pass them first."""

import pathlib

import ml_collections

from temporal_jax import training
from temporal_jax.experiment.probe_run import check_probe
from temporal_jax.experiment.run_kinds import run_kind
from temporal_jax.experiment.workdir_checks import check_places


def check_start(
  config: ml_collections.ConfigDict,
  workdir: pathlib.Path,
  profile: str | None,
  *,
  probe: ml_collections.ConfigDict,
) -> None:
  """Checks the task, the folder, the observers and the steps to trace.

  Args:
    config: The run's config, as it was given.
    workdir: Folder of the run.
    profile: Steps to trace; None for none.
    probe: Config of a probe in which nothing is set.

  Raises:
    ImportError: If the package of an observer is not installed.
    ValueError: If there is no such task or observer, the run has no such steps,
      or see `check_places` and `check_probe`.
  """
  is_probe = run_kind(config).fit is not None
  check_places(workdir, is_probe=is_probe)
  training.check_observers(config.observers)
  if is_probe:
    check_probe(config, probe, workdir, profile)
  elif profile:
    training.parse_steps(profile, config.num_steps or None)
