"""Previews a run without training: memory, traffic and its clips."""

import pathlib
import sys
import tempfile
from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import ml_collections
import numpy as np

from temporal_jax import training
from temporal_jax.data.augmentation.clip_sheet import draw_clips
from temporal_jax.experiment.classes import Classes, expected_classes, num_classes
from temporal_jax.experiment.components import RunComponents, assemble
from temporal_jax.experiment.network import blank_inputs
from temporal_jax.experiment.origin import complete
from temporal_jax.experiment.settings import RunSettings
from temporal_jax.experiment.steps import create_steps
from temporal_jax.experiment.videos import open_videos

_ROWS = 8  # Clips on a sheet, at most.


class PlannedStep(NamedTuple):
  """A training step that can be compiled without videos.

  Attributes:
    function: The jitted step, called with `components.shapes` and `batch`.
    components: Components of the run.
    batch: Shapes of a batch, with its place on the mesh.
    settings: Settings of the run.
  """

  function: Callable
  components: RunComponents
  batch: dict[str, jax.ShapeDtypeStruct]
  settings: RunSettings


def show_layout(
  config: ml_collections.ConfigDict, num_devices: int, tpu: str | None
) -> str:
  """Returns memory and traffic of a step on devices that are not there.

  No video is read. A line on stderr appears when compilation begins.

  Args:
    config: The run's config.
    num_devices: CPU devices to simulate.
    tpu: Kind and grid of a TPU instead, e.g. "v5p:4x4x4".

  Raises:
    ValueError: If data.num_classes is not set, or the config does
      not fit the devices.
  """
  step = plan_step(config, plan_devices(num_devices, tpu))
  print("compiling the training step ...", file=sys.stderr, flush=True)
  layout = training.step_layout(
    step.function, step.components.shapes, step.batch, step.settings.mesh
  )
  groups = training.describe_groups(
    step.components.shapes.params, step.components.groups
  )
  return f"{groups}\n{training.describe_layout(layout)}"


def refuse_layout(
  config: ml_collections.ConfigDict, num_devices: int, tpu: str | None
) -> str:
  """Raises ValueError: a run without training steps has no layout."""
  del num_devices, tpu
  raise ValueError(f"--plan: a run of the task {config.task!r} has no training step.")


def plan_step(
  config: ml_collections.ConfigDict, devices: Sequence[jax.Device]
) -> PlannedStep:
  """Builds the training step of a run; no video is read.

  Args:
    config: The run's config.
    devices: Devices, which need not be there.

  Raises:
    ValueError: See `show_layout`.
  """
  settings = RunSettings.from_config(complete(config), devices)
  classes = expected_classes(settings.config)
  components = assemble(settings, classes, num_videos=config.batch_size)
  function, _ = create_steps(
    settings,
    components,
    settings.loss(classes),
    augment=settings.augmentation(()),
    inputs=blank_inputs(components.model, classes, components.groups),
  )
  return PlannedStep(function, components, _batch_shapes(settings, classes), settings)


def plan_devices(num_devices: int, tpu: str | None) -> Sequence[jax.Device]:
  """Returns devices that need not be there; see `show_layout`."""
  if tpu:
    return training.absent_tpu(tpu)
  training.simulate_devices(num_devices)
  return jax.devices()


def draw(config: ml_collections.ConfigDict, file: str) -> None:
  """Draws the first training clips as the network sees them, to a PNG."""
  settings = RunSettings.from_config(complete(config))
  with tempfile.TemporaryDirectory() as notes:  # For lists of bad videos.
    videos = open_videos(settings, pathlib.Path(notes), print)
    first = next(videos.train_batches)
  num_classes(settings.config, videos)
  augment = settings.augmentation(videos.class_names)
  batch = {
    name: jnp.asarray(values)
    for name, values in first.items()
    if values.dtype.kind != "U"
  }
  clip, label = jax.jit(augment)(
    jax.random.key(config.seed),
    batch["clip"],
    batch["label"],
    batch.get("size"),
  )
  count = min(len(clip), _ROWS)
  names = videos.class_names
  one_task = label.ndim == 1 and not isinstance(names, dict)
  titles = [names[i] if one_task else "" for i in np.asarray(label)[:count]]
  draw_clips(file, clip[:count], **settings.pixels, titles=titles)


def _batch_shapes(
  settings: RunSettings, classes: Classes
) -> dict[str, jax.ShapeDtypeStruct]:
  """Returns shapes of a batch of training clips, with its place on the mesh."""
  config, size = settings.config, settings.config.batch_size
  height, width = config.data.canvas or settings.clip_shape[2:4]
  label = jax.ShapeDtypeStruct((size,), jnp.int32)
  if isinstance(classes, dict):
    label = jax.ShapeDtypeStruct((size, len(classes)), jnp.int32)
  elif config.loss.name == "sigmoid":
    label = jax.ShapeDtypeStruct((size, classes), jnp.float32)
  shapes = {
    "clip": jax.ShapeDtypeStruct(
      (size, config.data.num_frames, height, width, settings.clip_shape[-1]),
      jnp.uint8,
    ),
    "label": label,
    "weight": jax.ShapeDtypeStruct((size,), jnp.float32),
  }
  if config.data.canvas:
    shapes["size"] = jax.ShapeDtypeStruct((size, 2), jnp.float32)
  return training.with_shardings(shapes, training.over_batch(settings.mesh))
