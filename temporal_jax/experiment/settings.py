"""Settings of a run: the values of its config, parsed and checked once."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import jax
import ml_collections

from temporal_jax import data, models, training
from temporal_jax.experiment.class_weights import ClassWeights, read_weights
from temporal_jax.experiment.classes import Classes, expected_classes
from temporal_jax.experiment.duration import cadence, duration
from temporal_jax.experiment.network import create_network, num_channels
from temporal_jax.experiment.number_bounds import check_bounds
from temporal_jax.experiment.optimizer import create_optimizer

# Placeholder for the steps of an epoch, which only the videos determine.
_STEPS_PER_EPOCH = 1000


@dataclasses.dataclass(frozen=True)
class RunSettings:
  """The settings of a run that need no videos.

  Attributes:
    config: The config they are made from, see `configs/base.py`.
    mesh: The devices, by axis.
    clip_shape: Shape (1, T, H, W, C) of one clip of the network, C 3 or the
      channels of optical flow.
    clip_format: Frames, size and sampling of a training clip.
    protocol: Views of a test video that are scored.
    pixels: {"mean", "std"} of R, G and B, of values in [0, 1]; of optical flow
      one number for all channels, or one each.
    mix: Settings of mixup and CutMix; None if clips are not mixed.
  """

  config: ml_collections.ConfigDict
  mesh: jax.sharding.Mesh
  clip_shape: tuple[int, ...]
  clip_format: data.ClipFormat
  protocol: data.EvalProtocol
  pixels: dict[str, tuple[float, ...]]
  mix: data.Mix | None

  @classmethod
  def from_config(
    cls,
    config: ml_collections.ConfigDict,
    devices: Sequence[jax.Device] | None = None,
  ) -> "RunSettings":
    """Makes the settings, and checks the parts that need no videos.

    Args:
      config: The run's config; without placeholders, see `complete`.
      devices: Devices of the mesh; all there are by default.

    Raises:
      ValueError: If a value of the config makes no sense, naming it.
    """
    check_bounds(config)
    mesh = create_run_mesh(config, devices)
    _check_microbatches(config, mesh)
    side = config.data.image_size
    settings = cls(
      config=config,
      mesh=mesh,
      clip_shape=(1, config.data.num_frames, side, side, num_channels(config)),
      clip_format=_clip_format(config),
      protocol=_protocol(config),
      pixels=_pixels(config),
      mix=_mix(config),
    )
    settings._check_components()
    return settings

  def loss(self, classes: Classes, class_weights: ClassWeights = None) -> training.Loss:
    """Returns the loss of a clip.

    Args:
      classes: Number of classes, by task if there are several.
      class_weights: Weight of each class, see `class_weights.class_weights`.
    """
    return training.Loss(
      classes,
      name=self.config.loss.name,
      label_smoothing=self.config.loss.label_smoothing,
      class_weights=class_weights,
      focal=self.config.loss.focal,
    )

  def augmentation(self, names: Any) -> data.Augmentation:
    """Returns the augmentation of training clips on the device.

    Args:
      names: Names of the classes, by task if there are several; () if they are
        not known, and labels then stay as they are.

    Raises:
      ValueError: If clips are mirrored whose classes depend on left and right.
    """
    config = self.config.data
    pairs = config.flip_pairs if names else ()
    data.check_flip(names, config.augment, pairs)
    return data.Augmentation(
      config.augment,
      **self.pixels,
      image_size=config.image_size,
      channels=num_channels(self.config),
      flip_labels=data.flipped_labels(names, pairs) if pairs else (),
      repeats=config.repeats,
    )

  def _check_components(self) -> None:
    """Builds a run's parts from these settings, and drops them."""
    config = self.config
    classes = expected_classes(config) if config.data.num_classes else 2
    create_network(config, classes)
    self.loss(classes, () if read_weights(config.loss.class_weights) else None)
    self.augmentation(())
    check_length(config)


def create_run_mesh(
  config: ml_collections.ConfigDict, devices: Sequence[jax.Device] | None = None
) -> jax.sharding.Mesh:
  """Returns the devices of a run of any kind, by axis.

  Raises:
    ValueError: If the axes do not fit the devices, or the batch the axes.
  """
  mesh = training.create_mesh(config.mesh, devices)
  training.check_batch_size(config.batch_size, mesh)
  return mesh


def check_length(config: ml_collections.ConfigDict) -> None:
  """Raises ValueError if length, cadence or schedule of a run cannot be."""
  length = duration(config, _STEPS_PER_EPOCH * config.batch_size)
  cadence(config, length)
  epochs_in_steps = config.optim.warmup_epochs or config.optim.milestones
  if config.num_epochs or not epochs_in_steps:
    create_optimizer(config, length, groups={})


def _check_microbatches(
  config: ml_collections.ConfigDict, mesh: jax.sharding.Mesh
) -> None:
  """Every device must be able to cut its clips into microbatches."""
  clips = config.batch_size * config.data.repeats
  own = clips // (mesh.shape["data"] * mesh.shape["fsdp"])
  count = config.optim.accumulate
  if count < 1 or own % count:
    raise ValueError(
      f"optim.accumulate must divide the {own} clips of a device, got {count}."
    )


def _clip_format(config: ml_collections.ConfigDict) -> data.ClipFormat:
  return data.ClipFormat(
    num_frames=config.data.num_frames,
    image_size=config.data.image_size,
    short_side=config.data.short_side or None,
    sampling=config.data.sampling,
    stride=config.data.stride,
    canvas=tuple(config.data.canvas) or None,
  )


def _protocol(config: ml_collections.ConfigDict) -> data.EvalProtocol:
  test = config.eval
  stretch = tuple(test.stretch) or None
  short_side = None if stretch else test.short_side or config.data.short_side
  return data.EvalProtocol(
    num_frames=config.data.num_frames,
    sampling=test.sampling or config.data.sampling,
    stride=config.data.stride,
    num_clips=test.num_clips,
    num_crops=test.num_crops,
    crop_size=test.crop_size or config.data.image_size,
    short_side=short_side or None,
    stretch=stretch,
    crop_rule=test.crop_rule,
    fusion=test.fusion,
    square_pixels=config.data.square_pixels,
  )


def _pixels(config: ml_collections.ConfigDict) -> dict[str, tuple[float, ...]]:
  """Returns the statistics of pixels: the config's, else the network's.

  The pixels of optical flow are the same for any network, see
  `data.FLOW_PIXELS`.

  Raises:
    ValueError: If the config gives another number of them, or a std of 0 or
      less.
  """
  entry, flow = models.find_model(config.model.name), config.data.flow
  known = data.FLOW_PIXELS if flow else {"mean": entry.mean, "std": entry.std}
  mean = tuple(config.data.pixel_mean) or known["mean"]
  std = tuple(config.data.pixel_std) or known["std"]
  allowed, words = {3}, "three numbers each, of R, G and B"
  if flow:
    allowed, words = {1, 2 * flow}, f"one number each, or {2 * flow}, of the channels"
  if not {len(mean), len(std)} <= allowed or min(std) <= 0:
    raise ValueError(
      f"data.pixel_mean and data.pixel_std must be {words}, the latter positive; "
      f"got {mean} and {std}."
    )
  return {"mean": mean, "std": std}


def _mix(config: ml_collections.ConfigDict) -> data.Mix | None:
  if not config.mix.mixup_alpha and not config.mix.cutmix_alpha:
    return None
  return data.Mix(**config.mix)
