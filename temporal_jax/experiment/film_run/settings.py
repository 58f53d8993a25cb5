"""Settings of a run on films: the values of its config, parsed and checked."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import flax.linen as nn
import jax
import ml_collections

from temporal_jax import localization, training
from temporal_jax.evaluation.detection.report import value_names
from temporal_jax.experiment.number_bounds import (
  OF_EVERY_RUN,
  Bounds,
  check_arguments,
  check_fields,
  check_keep_best,
)
from temporal_jax.experiment.settings import check_length, create_run_mesh
from temporal_jax.localization.detector.class_scores import TASKS, is_of_windows
from temporal_jax.localization.detector.decoding_settings import Decoding
from temporal_jax.localization.detector.detect import check_pipeline
from temporal_jax.localization.detector.sequence_format import SequenceFormat
from temporal_jax.localization.features.read_features import FeatureSettings
from temporal_jax.localization.networks.actionformer import ActionFormer
from temporal_jax.localization.networks.bmn import BMN
from temporal_jax.localization.training.objectives import (
  NORMALIZER,
  PointObjective,
  ProposalObjective,
)
from temporal_jax.localization.training.training_sequences import CropSettings
from temporal_jax.lookup import unknown_name
from temporal_jax.training.objective import Objective
from temporal_jax.training.state import Tree
from temporal_jax.validation import check_choice

_SHARE = Bounds(0, 1)
_MORE = Bounds(0, 1, without="low")
_FRAMES = Bounds(0, 1e6)
# Bounds for each number of a run on films; for a tuple, those of its entries.
BOUNDS: Mapping[str, Bounds] = {
  **OF_EVERY_RUN,
  "data.feature_width": Bounds(0, 2**20),
  "data.feature_stride": _FRAMES,
  "data.feature_window": _FRAMES,
  "data.feature_fps": Bounds(0, 1e4),
  "data.num_classes": Bounds(0, 100_000),
  "data.test_fraction": Bounds(0, 1, without="high"),
  "data.crop": _MORE,
  "data.segment_share": _SHARE,
  "extract.window": Bounds(1, 100_000),
  "extract.stride": Bounds(1, 100_000),
  "sequences.length": Bounds(0, 2**17),
  "sequences.step": Bounds(0, 2**17),
  "sequences.every": Bounds(0, 1024),
  "loss.offset_weight": Bounds(0, 1e6),
  "loss.normalizer": Bounds(0, 1e9, without="low"),
  "loss.radius": Bounds(0, 1e6, without="low"),
  "loss.weights": Bounds(0, 1e6),
  "loss.positive": _SHARE,
  "eval.thresholds": _MORE,
  "eval.max_proposals": Bounds(1, 100_000),
  "eval.batch_size": Bounds(1, 2**16),
}


@dataclasses.dataclass(frozen=True)
class FilmSettings:
  """The settings of a run that need no films.

  Attributes:
    config: The config they are made from, see `configs/localization/base.py`.
    mesh: The devices, by axis.
    form: Format of the sequences that are made of a film.
    decoding: Settings that turn the network's outputs into segments.
    features: Settings that the files of features must match.
    crop: Settings of the random part of a film in a training sequence.
    thresholds: Intersections over union of the test.
  """

  config: ml_collections.ConfigDict
  mesh: jax.sharding.Mesh
  form: SequenceFormat
  decoding: Decoding
  features: FeatureSettings
  crop: CropSettings
  thresholds: tuple[float, ...]

  @classmethod
  def from_config(
    cls,
    config: ml_collections.ConfigDict,
    devices: Sequence[jax.Device] | None = None,
  ) -> "FilmSettings":
    """Makes the settings, and checks the parts that need no films.

    Args:
      config: The run's config.
      devices: Devices of the mesh; all there are by default.

    Raises:
      ValueError: If a value of the config makes no sense, naming it.
    """
    check_fields(config, BOUNDS)
    check_choice("data.on_error", config.data.on_error, ("raise", "skip"))
    if config.optim.accumulate != 1:
      raise ValueError(
        "optim.accumulate must be 1 for localization, whose loss is a quotient of "
        f"sums over the whole batch; got {config.optim.accumulate}."
      )
    entry = localization.find_localizer(config.model.name)
    check_arguments(config.model.overrides, entry.module, entry.kwargs)
    chosen = {name: value for name, value in config.sequences.items() if value}
    settings = cls(
      config=config,
      mesh=create_run_mesh(config, devices),
      form=_replaced("sequences", entry.sequences, chosen),
      decoding=_replaced("decoding", entry.decoding, config.decoding),
      features=FeatureSettings(
        *(
          config.data[f"feature_{name}"] or None
          for name in ("stride", "window", "fps", "width")
        )
      ),
      crop=CropSettings(tuple(config.data.crop) or None, config.data.segment_share),
      thresholds=tuple(config.eval.thresholds),
    )
    settings._check_components()
    return settings

  @property
  def is_classless(self) -> bool:
    """Whether the network finds segments without a class."""
    return localization.find_localizer(self.config.model.name).module is BMN

  @property
  def max_proposals(self) -> int | None:
    """Proposals up to which recall counts; None where there are classes."""
    return self.config.eval.max_proposals if self.is_classless else None

  @property
  def tasks(self) -> tuple[str, ...]:
    """Tasks that class scores give segments labels of, () for a single one."""
    scores = self.config.eval.class_scores
    return TASKS if scores and is_of_windows(scores) else ()

  def network(self, num_classes: int) -> nn.Module:
    """Builds the network, without parameters.

    Raises:
      ValueError: If an argument of the network makes no sense.
    """
    config = self.config
    try:
      return localization.create_localizer(
        config.model.name,
        num_classes=None if self.is_classless else num_classes,
        dtype=config.model.dtype or training.default_dtype(),
        **config.model.overrides,
      )
    except TypeError as error:
      raise ValueError(f"model.overrides: {error}") from None

  def length(self, network: nn.Module) -> int:
    """Returns the positions that training sequences are padded to."""
    if not isinstance(network, ActionFormer):
      return self.form.length
    step = network.stride ** (len(network.ranges) - 1)
    return -(-network.padded_length(self.form.length) // step) * step

  def objective(self, network: nn.Module) -> Objective:
    """Returns the objective that training minimises."""
    loss = self.config.loss
    if isinstance(network, BMN):
      return ProposalObjective(network, tuple(loss.weights), loss.positive)
    return PointObjective(
      network,
      label_smoothing=loss.label_smoothing,
      offset_weight=loss.offset_weight,
      radius=loss.radius,
    )

  def first_statistics(self) -> Tree:
    """Returns the running statistics of the loss before the first step."""
    return {} if self.is_classless else {NORMALIZER: self.config.loss.normalizer}

  def _check_components(self) -> None:
    """Builds a run's parts from these settings, and drops them."""
    config = self.config
    if config.data.crop and len(config.data.crop) != 2:
      raise ValueError(
        f"data.crop must be the least and the greatest share of a film, or (), got "
        f"{tuple(config.data.crop)}."
      )
    if self.is_classless and config.data.crop:
      raise ValueError(
        f"data.crop must be () for {config.model.name}, whose sequences have one "
        f"length; got {tuple(config.data.crop)}."
      )
    if self.is_classless and not config.data.class_agnostic:
      raise ValueError(
        f"data.class_agnostic must be True for {config.model.name}, which finds "
        "segments without a class."
      )
    if config.eval.class_scores and not config.data.class_agnostic:
      raise ValueError(
        "eval.class_scores must be empty unless data.class_agnostic, as segments have "
        f"classes by {config.model.name}; got {config.eval.class_scores!r}."
      )
    if self.tasks and not self.is_classless:
      raise ValueError(
        "eval.class_scores must be a file of the scores of films (.npz) for "
        f"{config.model.name}, got {config.eval.class_scores!r}."
      )
    if len(config.loss.weights) != 3 or not config.eval.thresholds:
      raise ValueError(
        "loss.weights must be three numbers and eval.thresholds not empty, got "
        f"{tuple(config.loss.weights)} and {tuple(config.eval.thresholds)}."
      )
    check_pipeline(self.network(config.data.num_classes or 2), self.form, self.decoding)
    known = value_names(
      self.thresholds, tasks=self.tasks, max_proposals=self.max_proposals
    )
    check_keep_best(config, known)
    check_length(config)


def _replaced(field: str, settings: Any, changes: Mapping[str, Any]) -> Any:
  """Returns a dataclass of settings with the fields that a config changes."""
  known = [one.name for one in dataclasses.fields(settings)]
  for name in changes:
    if name not in known:
      raise ValueError(f"config.{unknown_name(name, known, 'field', of=field)}")
  try:
    return dataclasses.replace(settings, **changes)
  except (TypeError, ValueError) as error:
    raise ValueError(f"{field}: {error}") from None
