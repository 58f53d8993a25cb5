"""Previews memory and traffic of a run on films, without its films."""

import sys

import jax
import jax.numpy as jnp
import ml_collections

from temporal_jax import training
from temporal_jax.experiment.film_run.run import assemble, create_step
from temporal_jax.experiment.film_run.settings import FilmSettings
from temporal_jax.experiment.preview import plan_devices

_SEGMENTS = 64  # Segments of a sequence; the films would define it.


def show_layout(
  config: ml_collections.ConfigDict, num_devices: int, tpu: str | None
) -> str:
  """Returns memory and traffic of a step; see `preview.show_layout`.

  Raises:
    ValueError: If the config lacks the number of classes or the width of
      features, or does not fit the devices.
  """
  wanted = ("num_classes", "feature_width")
  missing = [f"data.{name}" for name in wanted if not config.data[name]]
  if missing:
    raise ValueError(
      f"{' and '.join(missing)} must be above 0 for --plan, which reads no films."
    )
  settings = FilmSettings.from_config(config, plan_devices(num_devices, tpu))
  classes, width = config.data.num_classes, config.data.feature_width
  network = settings.network(classes)
  run = assemble(settings, network, width, classes, config.batch_size)
  rows = (config.batch_size,)
  length = (*rows, settings.length(network))
  segments = (*rows, _SEGMENTS)
  batch = {
    "features": jax.ShapeDtypeStruct((*length, width), jnp.float32),
    "mask": jax.ShapeDtypeStruct(length, bool),
    "segments": jax.ShapeDtypeStruct((*segments, 2), jnp.float32),
    "labels": jax.ShapeDtypeStruct(segments, jnp.int32),
    "exists": jax.ShapeDtypeStruct(segments, bool),
  }
  batch = training.with_shardings(batch, training.over_batch(settings.mesh))
  print("compiling the training step ...", file=sys.stderr, flush=True)
  step = create_step(settings, run)
  layout = training.step_layout(step, run.shapes, batch, settings.mesh)
  groups = training.describe_groups(run.shapes.params, run.groups)
  return f"{groups}\n{training.describe_layout(layout)}"


def draw(config: ml_collections.ConfigDict, file: str) -> None:
  """Refuses to draw.

  Raises:
    ValueError: Always: features are no pictures.
  """
  del config, file
  raise ValueError("--draw draws clips; a run of localization trains on features.")
