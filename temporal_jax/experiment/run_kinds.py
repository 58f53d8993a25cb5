"""The kinds of runs by the task of a config."""

from collections.abc import Mapping
from types import MappingProxyType

import ml_collections

from temporal_jax import inference
from temporal_jax.experiment import clip_run, origin, preview
from temporal_jax.experiment.run_kind import RunKind
from temporal_jax.lookup import lookup

RUN_KINDS: Mapping[str, RunKind] = MappingProxyType(
  {
    "classification": RunKind(
      complete=origin.complete,
      read_description=inference.read_description,
      open_run=clip_run.ClipRun.open,
      show_layout=preview.show_layout,
      draw=preview.draw,
    ),
  }
)


def run_kind(config: ml_collections.ConfigDict) -> RunKind:
  """Returns the kind of a config's run.

  Raises:
    ValueError: If there is no such task.
  """
  return lookup(RUN_KINDS, config.task, "task")
