"""A run that trains a network to classify clips."""

import dataclasses
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import jax
import ml_collections

from temporal_jax import data, evaluation, inference, training
from temporal_jax.experiment.adapters import add_factors
from temporal_jax.experiment.class_weights import class_weights
from temporal_jax.experiment.classes import num_classes
from temporal_jax.experiment.components import RunComponents, assemble
from temporal_jax.experiment.description import (
  Description,
  Lists,
  describe,
  describe_lists,
)
from temporal_jax.experiment.network import other_inputs
from temporal_jax.experiment.number_bounds import check_keep_best
from temporal_jax.experiment.settings import RunSettings
from temporal_jax.experiment.steps import create_steps
from temporal_jax.experiment.test_scoring import ClipScoring
from temporal_jax.experiment.videos import open_videos
from temporal_jax.experiment.weights import fitting
from temporal_jax.training.objective import Arrays
from temporal_jax.training.state import Tree


@dataclasses.dataclass(frozen=True)
class ClipRun:
  """A run on clips; see `run_kind.OpenRun`.

  Attributes:
    settings: The run's settings.
    videos: The run's videos.
    augment: Augmentation of training clips.
    loss: Loss of a clip.
    components: Components of the run.
    examples: Name of the examples in batches.
  """

  settings: RunSettings
  videos: data.Videos
  augment: data.Augmentation
  loss: training.Loss
  components: RunComponents
  examples: str = dataclasses.field(default="clips", init=False)

  @classmethod
  def open(
    cls,
    config: ml_collections.ConfigDict,
    workdir: pathlib.Path,
    earlier: Description | None,
    say: Callable[[str], None],
  ) -> "ClipRun":
    """Opens the videos and builds the network; see `run_kind.RunKind`.

    Raises:
      ValueError: If a value of the config makes no sense, or does not fit the
        videos.
    """
    del earlier  # `open_videos` reads it.
    settings = RunSettings.from_config(config)
    videos = open_videos(settings, workdir, say)
    names = videos.class_names
    known = evaluation.accuracy_names(names, multi_label=videos.multi_label)
    check_keep_best(config, known)
    classes = num_classes(config, videos)
    loss = settings.loss(classes, class_weights(config, videos, say))
    augment = settings.augmentation(names)
    components = assemble(settings, classes, videos.num_train)
    devices = settings.mesh.devices.flat
    say(
      f"{len(devices)} x {devices[0].device_kind}: {videos.num_train} training and "
      f"{videos.num_test} test videos, {_in_words(classes)}."
    )
    return cls(settings, videos, augment, loss, components)

  @property
  def train_batches(self) -> data.TrainBatches:
    """Endless batches."""
    return self.videos.train_batches

  @property
  def lists(self) -> Lists:
    """Number of videos and digest of each list."""
    return describe_lists(self.videos)

  def initialise(self, key: jax.Array) -> Tree:
    """Returns fresh variables, with the factors of adapters."""
    settings = self.settings
    variables = training.init_variables(self.components.model, settings.clip_shape, key)
    return add_factors(settings.config, variables, jax.random.fold_in(key, 1))

  def fitting(self, loaded: Tree) -> training.Fitting:
    """Returns the allowed differences of weights; see `weights.fitting`."""
    return fitting(self.settings, self.components, self.videos.class_names, loaded)

  def describe(self, earlier: Description | None) -> dict[str, Any]:
    """Returns the run's model.json; see `description.describe`."""
    return describe(self.settings, self.videos, earlier)

  def write_description(
    self, workdir: pathlib.Path, description: Description, variables: Tree
  ) -> None:
    """Writes model.json, of the network without adapters."""
    params = training.without_factors(variables["params"])
    inference.write_description(workdir, description, {**variables, "params": params})

  def place(self, batch: Mapping[str, Any]) -> Arrays:
    """Puts a host batch on the devices."""
    return training.place_batch(batch, self.settings.mesh)

  def start(self, variables: Tree) -> tuple[Callable, ClipScoring]:
    """Returns the jitted training step, and the scoring of the test."""
    model, groups = self.components.model, self.components.groups
    train_step, eval_step = create_steps(
      self.settings,
      self.components,
      self.loss,
      augment=self.augment,
      inputs=other_inputs(model, self.videos.class_names, variables, groups),
    )
    protocol = self.settings.protocol
    return train_step, ClipScoring(self.videos, eval_step, self.place, protocol)


def _in_words(classes: int | Mapping[str, int] | None) -> str:
  """Returns the number of classes, of each task if there are several."""
  by_task = classes if isinstance(classes, Mapping) else {"": classes}
  return ", ".join(f"{count} classes {task}".strip() for task, count in by_task.items())
