"""What others must know of a run's network to use it: its model.json."""

import dataclasses
from typing import Any

import ml_collections

from temporal_jax import data
from temporal_jax.experiment.classes import num_classes
from temporal_jax.experiment.earlier_start import Description, describe_lists
from temporal_jax.experiment.network import network_arguments
from temporal_jax.experiment.settings import pixels, protocol


def describe(
  config: ml_collections.ConfigDict,
  videos: data.Videos,
  earlier: Description | None = None,
) -> dict[str, Any]:
  """Returns what `inference.load_model` reads beside the checkpoints.

  Args:
    config: The run's config.
    videos: The run's videos.
    earlier: See `earlier_description`; its lists of videos are kept, so that
      later starts are compared with the first one.
  """
  test = protocol(config)
  return {
    "model": config.model.name,
    "overrides": network_arguments(config),
    "num_classes": num_classes(config, videos),
    "clip_shape": (test.num_frames, test.crop_size, test.crop_size, 3),
    "class_names": videos.class_names,
    "multi_label": videos.multi_label,
    "pixels": pixels(config),
    "protocol": dataclasses.asdict(test),
    "trained_with": {
      name: config.data[name] for name in ("num_frames", "image_size", "short_side")
    },
    "lists": (earlier or {}).get("lists") or describe_lists(videos),
  }
