r"""Config of the league's runs, a task and a backbone, for train.py.

  python -m temporal_jax.train --workdir=runs/tsm \
    --config=benchmarks/league_parts/config.py:camera_motion/resnet \
    --config.model.temporal=shift

Operators and learning rates are those of entries.py and of the sweep.
"""

import importlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import ml_collections

from temporal_jax.lookup import lookup


class Task(NamedTuple):
  """A data set of the league.

  Data, augmentation and optimizer are those of the config of its name.

  Attributes:
    num_classes: Number of its classes.
    steps_factor: Steps of a training of it over those of `something_moves`.
  """

  num_classes: int
  steps_factor: int


TASKS: Mapping[str, Task] = MappingProxyType(
  {
    # The weights at the start know nothing of it: losses stay where guessing is
    # for up to 250 steps, in the ViT longer.
    "camera_motion": Task(8, steps_factor=2),
    "something_moves": Task(16, steps_factor=1),
  }
)
# All are about as much work per clip. Backbone -> name and arguments.
BACKBONES: Mapping[str, tuple[str, Mapping[str, Any]]] = MappingProxyType(
  {
    "resnet": ("resnet18", {"width": 16, "stem": "7x7"}),
    "big_little": ("blvnet_50", {"width": 16, "stage_sizes": (2, 2, 2, 2)}),
    # CLIP's form, with a position per frame: attention over time would not know
    # the order of frames without it.
    "vit": (
      "vit_b32_joint",
      {
        "width": 48,
        "depth": 4,
        "num_heads": 2,
        "patch_size": 4,
        "projection": None,
      },
    ),
  }
)


def get_config(run: str = "camera_motion/resnet") -> ml_collections.ConfigDict:
  """Returns the config of a task and a backbone, "TASK/BACKBONE".

  Raises:
    ValueError: If one of them is unknown.
  """
  task, _, backbone = run.partition("/")
  lookup(TASKS, task, "task of the league")
  network, arguments = lookup(BACKBONES, backbone, "backbone of the league")
  config = importlib.import_module(f"temporal_jax.configs.{task}").get_config()
  config.model.name = network
  config.model.overrides = ml_collections.ConfigDict(dict(arguments))
  config.batch_size = 32
  # Parts of 8 clips fit a core's cache, and are 1.3 times as fast. Batch norm
  # would see parts only: ResNets have it, and of ViTs only ATM's.
  config.optim.accumulate = 4 if backbone == "vit" else 1
  # Tested once, at the end; saved so that a stopped run goes on.
  config.eval_every = 0
  config.save_every = 100
  config.keep_checkpoints = 1
  config.observers = ()
  return config
