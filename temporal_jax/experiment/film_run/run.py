"""Builds a run on films: its data, its network, its steps."""

import dataclasses
import functools
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import ml_collections
import numpy as np

from temporal_jax import data, training
from temporal_jax.data.pipeline.train_batches import Share, TrainBatches
from temporal_jax.experiment.components import RunComponents, assemble_network
from temporal_jax.experiment.description import Description, Lists
from temporal_jax.experiment.film_run.prepared_films import prepare_data_set
from temporal_jax.experiment.film_run.scoring import FilmScoring
from temporal_jax.experiment.film_run.settings import FilmSettings
from temporal_jax.localization.detector.class_scores import (
  ClassScores,
  open_class_scores,
)
from temporal_jax.localization.detector.detect import Detector
from temporal_jax.localization.detector.detector_schema import (
  DETECTORS,
  described_features,
)
from temporal_jax.localization.detector.saved_detector import (
  describe_detector,
  write_detector_description,
)
from temporal_jax.localization.features.store import FeatureStore
from temporal_jax.localization.networks.actionformer import ActionFormer
from temporal_jax.localization.training.film_data import FilmData, open_film_data
from temporal_jax.localization.training.training_sequences import (
  TrainingSequences,
  cut_to_bucket,
)
from temporal_jax.models.network import ParameterGroups
from temporal_jax.saved_networks.description import (
  described_classes,
  read_description,
)
from temporal_jax.training.host_init import run_on_host
from temporal_jax.training.objective import Arrays
from temporal_jax.training.state import Tree

# Leaves that depend on the classes or the data, where weights are taken over.
_REPLACEABLE = r"params/classification/(last|bias).*|batch_stats/.*"


@dataclasses.dataclass(frozen=True)
class FilmRun:
  """A run on films; see `run_kind.OpenRun`.

  Attributes:
    settings: The run's settings.
    films: The run's films.
    sequences: Sequences to train on.
    train_batches: Endless batches of them.
    bad_test: Test films whose features cannot be read.
    class_scores: Scores of classes for each film, used to label segments
      without a class; None leaves them unlabelled.
    components: Network, optimizer and the other components of the run.
    examples: Plural noun for the examples of a batch, for messages.
  """

  settings: FilmSettings
  films: FilmData
  sequences: TrainingSequences
  train_batches: TrainBatches
  bad_test: data.BadVideos
  class_scores: ClassScores | None
  components: RunComponents
  examples: str = dataclasses.field(default="sequences", init=False)

  @classmethod
  def open(
    cls,
    config: ml_collections.ConfigDict,
    workdir: pathlib.Path,
    earlier: Description | None,
    say: Callable[[str], None],
  ) -> "FilmRun":
    """Opens the films and builds the network; see `run_kind.RunKind`.

    Raises:
      ValueError: If a value of the config makes no sense, or does not fit the
        films; or see `open_film_data`.
    """
    settings = FilmSettings.from_config(config)
    films = _open_films(settings, earlier, say)
    counts = films.annotations.counts()
    say(", ".join(f"{name}: {count}" for name, count in counts.items()) + ".")
    found, said = len(films.class_names), config.data.num_classes
    if said not in (0, found):
      raise ValueError(
        f"data.num_classes is {said}, the films have {found} classes: "
        f"--config.data.num_classes={found}."
      )
    network = settings.network(found)
    class_scores = _open_class_scores(settings, films)
    index, count = jax.process_index(), jax.process_count()
    own = f"_{index}" if index else ""
    bad_train, bad_test = (
      data.BadVideos(config.data.on_error, workdir / f"bad_{split}{own}.jsonl")
      for split in ("train", "test")
    )
    sequences = TrainingSequences(
      films.train,
      films.store,
      settings.form,
      settings.length(network),
      settings.crop,
      bad_train,
    )
    batches = TrainBatches(
      sequences.read,
      Share(config.batch_size, index, count),
      num_videos=len(sequences.places),
      seed=config.seed,
      num_threads=config.data.num_threads,
    )
    components = assemble(
      settings, network, films.kind.width, found, len(sequences.places)
    )
    return cls(settings, films, sequences, batches, bad_test, class_scores, components)

  @functools.cached_property
  def lists(self) -> Lists:
    """Number of films and digests of each list."""
    return self.films.lists()

  def initialise(self, key: jax.Array) -> Tree:
    """Returns fresh variables; classes without a segment start as unlikely."""
    network = self.components.model
    if isinstance(network, ActionFormer):
      labels = np.concatenate([film.labels for film in self.films.train])
      empty = set(range(network.num_classes)) - set(labels.tolist())
      network = network.clone(empty_classes=tuple(sorted(empty)))
    return run_on_host(initialiser(self.settings, network, self.films.kind.width), key)

  def fitting(self, loaded: Tree) -> training.Fitting:
    """Returns the allowed differences of weights: the classes' layer.

    Classes are matched by name where the weights are a detector's folder.
    """
    del loaded
    return training.Fitting(replaceable=_REPLACEABLE, rows=self._class_rows())

  def _class_rows(self) -> dict[str, training.ClassRows]:
    """Returns the classes of `init_from`; {} if they are the same."""
    network, settings = self.components.model, self.settings
    folder = pathlib.Path(settings.config.init_from).expanduser()
    description = read_description(folder, DETECTORS)
    if description is None or settings.is_classless:
      return {}
    match = training.match_classes(
      described_classes(description),
      self.films.class_names,
      num_loaded=description["num_classes"] or len(described_classes(description)),
    )
    if not match.words:
      return {}
    shapes, grown = (
      jax.eval_shape(
        initialiser(settings, network.clone(num_classes=count), self.films.kind.width),
        jax.random.key(0),
      )
      for count in (network.num_classes, network.num_classes + 1)
    )
    axes = training.class_axes(shapes, grown, {"": 1})
    return {
      name: training.ClassRows(axis, task, match) for name, (axis, task) in axes.items()
    }

  def describe(self, earlier: Description | None) -> dict[str, Any]:
    """Returns the run's model.json; see `describe_detector`."""
    config = self.settings.config
    return describe_detector(
      config.model.name,
      overrides=config.model.overrides.to_dict(),
      num_classes=getattr(self.components.model, "num_classes", None),
      class_names=self.films.class_names,
      feature_kind=self.films.kind,
      form=self.settings.form,
      decoding=self.settings.decoding,
      lists=(earlier or {}).get("lists") or dict(self.lists),
    )

  def write_description(
    self, workdir: pathlib.Path, description: Description, variables: Tree
  ) -> None:
    """Writes model.json."""
    write_detector_description(workdir, description, variables)

  def place(self, batch: Mapping[str, Any]) -> Arrays:
    """Cuts a host batch to few shapes and puts it on the devices."""
    if jax.process_count() == 1:  # Else processes would need to agree.
      batch = cut_to_bucket(batch, self.components.model)
    return training.place_batch(batch, self.settings.mesh)

  def start(self, variables: Tree) -> tuple[Callable, FilmScoring]:
    """Returns the jitted training step, and the scoring of the test."""
    settings, components = self.settings, self.components
    train_step = create_step(settings, components)
    detector = Detector(
      components.model,
      variables,
      settings.form,
      settings.decoding,
      self.films.class_names,
      self.films.kind,
    )
    return train_step, FilmScoring(
      settings, self.films, detector, self.bad_test, self.class_scores
    )


def _open_films(
  settings: FilmSettings, earlier: Description | None, say: Callable[[str], None]
) -> FilmData:
  """Opens annotations and features; prepares a missing data set."""
  config = settings.config.data
  annotations, features = config.annotations, config.features
  if config.name:
    extract = settings.config.extract
    annotations, features = map(str, prepare_data_set(config, extract, say))
  elif not features:
    raise ValueError(
      "data.features must be a folder of the films' features, or an HDF5 file; it "
      "is empty."
    )
  return open_film_data(
    annotations,
    config.root,
    FeatureStore(features, settings=settings.features, pattern=config.feature_pattern),
    task=config.task,
    class_agnostic=config.class_agnostic,
    distinct=config.distinct,
    test_fraction=config.test_fraction,
    on_error=config.on_error,
    class_names=described_classes(earlier) if earlier else None,
    kind=described_features(earlier) if earlier else None,
  )


def _open_class_scores(settings: FilmSettings, films: FilmData) -> ClassScores | None:
  """Opens the class scores of the test films, if there are some."""
  place = settings.config.eval.class_scores
  if not place:
    return None
  scores = open_class_scores(place, films.labelled.class_names)
  scores.check(films.test)
  return scores


def initialiser(
  settings: FilmSettings, network: nn.Module, width: int
) -> Callable[[jax.Array], Tree]:
  """Returns random key -> variables, with the loss's first statistics.

  Args:
    settings: The run's settings.
    network: The network.
    width: Numbers of a position of the features.
  """
  length = settings.form.length
  more = []
  if isinstance(network, ActionFormer):
    length = network.stride ** (len(network.ranges) - 1)  # The shortest there is.
    more = [jnp.ones((1, length), bool)]
  statistics = settings.first_statistics()

  def init(key: jax.Array) -> Tree:
    variables = network.init(key, jnp.zeros((1, length, width), jnp.float32), *more)
    return {
      "params": variables["params"],
      "batch_stats": jax.tree.map(jnp.float32, statistics),
    }

  return init


def assemble(
  settings: FilmSettings,
  network: nn.Module,
  width: int,
  num_classes: int,
  num_sequences: int,
) -> RunComponents:
  """Builds the components of a run; nothing is computed.

  Args:
    settings: The run's settings.
    network: The network.
    width: Numbers of a position of the features.
    num_classes: Number of classes.
    num_sequences: Sequences of a pass over the training films.

  Raises:
    ValueError: If the network cannot be built for such features, or the
      schedule does not fit the number of steps.
  """

  def shapes() -> Tree:
    try:
      return jax.eval_shape(initialiser(settings, network, width), jax.random.key(0))
    except (TypeError, ValueError, ZeroDivisionError) as error:
      raise ValueError(
        f"the network {settings.config.model.name} with the overrides "
        f"{dict(settings.config.model.overrides)} cannot be built for features of "
        f"the width {width}: {str(error).splitlines()[0]}"
      ) from error

  return assemble_network(
    settings.config,
    settings.mesh,
    network,
    variables=shapes,
    named=ParameterGroups(),
    classes=num_classes,
    num_videos=num_sequences,
    sums=settings.objective(network).sums,
  )


def create_step(settings: FilmSettings, components: RunComponents) -> Callable:
  """Returns the jitted training step."""
  config = settings.config
  spec = training.StepSpec(
    settings.objective(components.model),
    components.optimizer,
    seed=config.seed,
    groups=components.groups,
    ema_decay=config.optim.ema_decay,
    ema_warmup=config.optim.ema_warmup,
  )
  return training.make_train_step(spec, settings.mesh, components.layout)
