"""A run looked at without running it: its layout, its clips."""

import pathlib
import tempfile

import jax
import jax.numpy as jnp
import ml_collections
import numpy as np

from temporal_jax import training
from temporal_jax.data.augmentation.clip_sheet import draw_clips
from temporal_jax.experiment.check import check
from temporal_jax.experiment.classes import Classes, expected_classes, num_classes
from temporal_jax.experiment.components import assemble
from temporal_jax.experiment.network import blank_inputs
from temporal_jax.experiment.settings import (
  clip_shape,
  create_augmentation,
  open_videos,
  pixels,
)
from temporal_jax.experiment.steps import create_steps
from temporal_jax.experiment.weights import complete

_ROWS = 8  # Clips on a sheet, at most.


def show_plan(
  config: ml_collections.ConfigDict, num_devices: int, tpu: str | None
) -> str:
  """Returns what a step would hold and send on devices that are not there.

  No video is read.

  Args:
    config: The run's config.
    num_devices: CPU devices to simulate.
    tpu: Kind and grid of a TPU instead, e.g. "v5p:4x4x4".

  Raises:
    ValueError: If data.num_classes does not say the classes, or the config does
      not fit the devices.
  """
  if tpu:
    devices = training.absent_tpu(tpu)
  else:
    training.simulate_devices(num_devices)
    devices = jax.devices()
  config = complete(config)
  mesh = check(config, devices)
  classes = expected_classes(config)
  parts = assemble(config, classes, config.batch_size, mesh)
  step, _ = create_steps(
    *(config, parts, create_augmentation(config, ())),
    inputs=blank_inputs(parts.model, classes, parts.groups),
  )
  layout = training.plan_step(
    step, parts.shapes, _batch_shapes(config, classes, mesh), mesh
  )
  groups = training.describe_groups(parts.shapes.params, parts.groups)
  return f"{groups}\n{training.describe_layout(layout)}"


def draw(config: ml_collections.ConfigDict, file: str) -> None:
  """Draws the first training clips as the network sees them, to a PNG."""
  config = complete(config)
  check(config)
  with tempfile.TemporaryDirectory() as notes:  # Of videos that are bad.
    videos = open_videos(config, pathlib.Path(notes), print)
    first = next(videos.train_batches)
  num_classes(config, videos)
  augment = create_augmentation(config, videos.class_names)
  batch = {
    name: jnp.asarray(values)
    for name, values in first.items()
    if values.dtype.kind != "U"
  }
  clip, label = jax.jit(augment)(
    jax.random.key(config.seed),
    *(batch["clip"], batch["label"], batch.get("size")),
  )
  count = min(len(clip), _ROWS)
  names = videos.class_names
  one_task = label.ndim == 1 and not isinstance(names, dict)
  titles = [names[i] if one_task else "" for i in np.asarray(label)[:count]]
  draw_clips(file, clip[:count], **pixels(config), titles=titles)


def _batch_shapes(
  config: ml_collections.ConfigDict, classes: Classes, mesh: jax.sharding.Mesh
) -> dict[str, jax.ShapeDtypeStruct]:
  """Returns what a batch of training clips is, and where it lies."""
  size = config.batch_size
  height, width = config.data.canvas or clip_shape(config)[2:4]
  label = jax.ShapeDtypeStruct((size,), jnp.int32)
  if isinstance(classes, dict):
    label = jax.ShapeDtypeStruct((size, len(classes)), jnp.int32)
  elif config.loss.name == "sigmoid":
    label = jax.ShapeDtypeStruct((size, classes), jnp.float32)
  shapes = {
    "clip": jax.ShapeDtypeStruct(
      (size, config.data.num_frames, height, width, 3), jnp.uint8
    ),
    "label": label,
    "weight": jax.ShapeDtypeStruct((size,), jnp.float32),
  }
  if config.data.canvas:
    shapes["size"] = jax.ShapeDtypeStruct((size, 2), jnp.float32)
  return training.with_shardings(shapes, training.over_batch(mesh))
