"""The videos of a run, and what becomes of their clips."""

import pathlib
from collections.abc import Callable
from typing import Any

import jax
import ml_collections

from temporal_jax import data, models
from temporal_jax.experiment.earlier_start import earlier_description, in_order_of


def clip_shape(config: ml_collections.ConfigDict) -> tuple[int, ...]:
  """Returns the shape (1, T, H, W, 3) of one clip."""
  side = config.data.image_size
  return (1, config.data.num_frames, side, side, 3)


def clip_format(config: ml_collections.ConfigDict) -> data.ClipFormat:
  """Returns how a training clip is cut from a video."""
  return data.ClipFormat(
    num_frames=config.data.num_frames,
    image_size=config.data.image_size,
    short_side=config.data.short_side or None,
    sampling=config.data.sampling,
    stride=config.data.stride,
    canvas=tuple(config.data.canvas) or None,
  )


def protocol(config: ml_collections.ConfigDict) -> data.EvalProtocol:
  """Returns which views of a test video are scored."""
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


def open_videos(
  config: ml_collections.ConfigDict,
  workdir: pathlib.Path,
  say: Callable[[str], None],
) -> data.Videos:
  """Opens the data set or the user's own files; prepares what is missing.

  Args:
    config: The run's config.
    workdir: Folder of the run, where bad videos are written down. If it has a
      checkpoint, classes are numbered in the order of the run.
    say: Gets what a person should know of the files, a sentence a call.

  Raises:
    ValueError: If the classes differ from those of the run in `workdir`, or see
      `data.open_sources` and `data.open_videos`.
  """
  if config.data.manifest:
    data.keep_indices(
      pathlib.Path(config.data.manifest).expanduser(),
      pathlib.Path(config.data.videos or config.data.root).expanduser(),
    )
  index, count = jax.process_index(), jax.process_count()
  own = f"_{index}" if index else ""
  bad_videos = {
    split: data.BadVideos(config.data.on_error, workdir / f"bad_{split}{own}.jsonl")
    for split in ("train", "test")
  }
  sources = data.open_sources(
    name=config.data.name,
    root=config.data.root,
    data_dir=config.data.data_dir,
    splits={"train": config.data.train_split, "test": config.data.test_split},
    test_fraction=config.data.test_fraction,
    tasks=tuple(config.data.tasks),
    annotations=config.data.annotations,
    videos=config.data.videos,
    frames=config.data.frames,
    say=say,
  )
  sources = in_order_of(earlier_description(workdir), sources, workdir)
  return data.open_videos(
    sources,
    clip_format(config),
    protocol(config),
    batch_size=config.batch_size,
    seed=config.seed,
    bad_videos=bad_videos,
    time_limit=config.data.time_limit,
    num_threads=config.data.num_threads,
    process_index=index,
    process_count=count,
  )


def pixels(
  config: ml_collections.ConfigDict,
) -> dict[str, tuple[float, float, float]]:
  """Returns mean and std of the network's pixels.

  Raises:
    ValueError: If the config gives others than three, or a std of 0 or less.
  """
  spec = models.find_model(config.model.name)
  mean = tuple(config.data.pixel_mean) or spec.mean
  std = tuple(config.data.pixel_std) or spec.std
  if len(mean) != 3 or len(std) != 3 or min(std) <= 0:
    raise ValueError(
      "data.pixel_mean and data.pixel_std must be three numbers each, of R, G "
      f"and B, the latter positive; got {mean} and {std}."
    )
  return {"mean": mean, "std": std}


def create_augmentation(
  config: ml_collections.ConfigDict, names: Any
) -> data.Augmentation:
  """Returns what is done to training clips on the device.

  Args:
    config: The run's config.
    names: Names of the classes, by task if there are several; () if they are
      not known, and labels then stay what they are.

  Raises:
    ValueError: If clips are mirrored whose classes tell left from right.
  """
  pairs = config.data.flip_pairs if names else ()
  data.check_flip(names, config.data.augment, pairs)
  return data.Augmentation(
    config.data.augment,
    **pixels(config),
    image_size=config.data.image_size,
    flip_labels=data.flipped_labels(names, pairs) if pairs else (),
    repeats=config.data.repeats,
  )
