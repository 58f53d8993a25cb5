"""The kinds of runs by the task of a config."""

import functools
from collections.abc import Mapping
from types import MappingProxyType

import ml_collections

from temporal_jax import inference
from temporal_jax.experiment import (
  clip_run,
  film_run,
  origin,
  preview,
  probe_run,
)
from temporal_jax.experiment.run_kind import RunKind
from temporal_jax.localization.detector.detector_schema import DETECTORS
from temporal_jax.lookup import lookup
from temporal_jax.saved_networks.description import read_description

RUN_KINDS: Mapping[str, RunKind] = MappingProxyType(
  {
    "classification": RunKind(
      complete=origin.complete,
      read_description=inference.read_description,
      open_run=clip_run.ClipRun.open,
      show_layout=preview.show_layout,
      draw=preview.draw,
    ),
    "probe": RunKind(
      complete=origin.complete,
      read_description=inference.read_description,
      open_run=clip_run.ClipRun.open,
      show_layout=preview.refuse_layout,
      draw=preview.draw,
      fit=probe_run.run_probe,
    ),
    "localization": RunKind(
      complete=lambda config, earlier: config,
      read_description=functools.partial(read_description, schema=DETECTORS),
      open_run=film_run.FilmRun.open,
      show_layout=film_run.show_layout,
      draw=film_run.draw,
    ),
  }
)


def run_kind(config: ml_collections.ConfigDict) -> RunKind:
  """Returns the kind of a config's run.

  Raises:
    ValueError: If there is no such task.
  """
  return lookup(RUN_KINDS, config.task, "task")
