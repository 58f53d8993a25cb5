"""The interface of a kind of run, for the one training program."""

import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import jax
import ml_collections

from temporal_jax import training
from temporal_jax.experiment.components import RunComponents
from temporal_jax.experiment.description import Description, Lists
from temporal_jax.training.objective import Arrays
from temporal_jax.training.state import Tree

Say = Callable[[str], None]


class FinalTest(NamedTuple):
  """The final test of a run.

  Attributes:
    values: Values by their names.
    headline: A line for the user.
    write: Writes the report into the workdir, and pictures next to it, with
      the rows of metrics.jsonl.
  """

  values: Mapping[str, float]
  headline: str
  write: Callable[[pathlib.Path, Sequence[Mapping[str, Any]]], None]


class Scoring(Protocol):
  """Tests a network."""

  def quick(self, variables: Tree, say: Say) -> dict[str, float]:
    """Returns the values of the test while a run trains."""

  def final(self, variables: Tree) -> FinalTest:
    """Returns the test in the end."""


class OpenRun(Protocol):
  """A run whose data is open and whose network is built.

  Attributes:
    components: Components of the run.
    train_batches: Endless batches.
    lists: Its lists of videos, see `describe_lists`.
    examples: Name of the examples in batches, a plural.
  """

  components: RunComponents
  train_batches: Any
  lists: Lists
  examples: str

  def initialise(self, key: jax.Array) -> Tree:
    """Returns fresh variables."""

  def fitting(self, loaded: Tree) -> training.Fitting:
    """Returns the allowed differences between the run and its weights."""

  def describe(self, earlier: Description | None) -> dict[str, Any]:
    """Returns the run's model.json; see `description.describe`."""

  def write_description(
    self, workdir: pathlib.Path, description: Description, variables: Tree
  ) -> None:
    """Writes model.json."""

  def place(self, batch: Mapping[str, Any]) -> Arrays:
    """Puts a host batch on the devices."""

  def start(self, variables: Tree) -> tuple[Callable, Scoring]:
    """Returns the jitted training step, and the scoring of the test.

    Args:
      variables: {"params", "batch_stats"} the run starts from.
    """


class RunKind(NamedTuple):
  """Functions that differ between the tasks.

  Attributes:
    complete: Fills the fields of a config that have no value, from the
      description of the run that is resumed, if there is one.
    read_description: Reads the model.json of a folder, None if there is none.
    open_run: Opens the data of a config for a workdir and builds the network;
      the last arguments are the earlier description and a function that prints.
    show_layout: See `preview.show_layout`.
    draw: See `preview.draw`.
    fit: Runs a config to its end, where a run has no training steps; called
      with the complete config, the workdir, fields of model.json about the
      weights, `init_from` as the user gave it and a function that prints. None
      where it is trained by steps.
  """

  complete: Callable[
    [ml_collections.ConfigDict, Description | None], ml_collections.ConfigDict
  ]
  read_description: Callable[[pathlib.Path], Description | None]
  open_run: Callable[
    [ml_collections.ConfigDict, pathlib.Path, Description | None, Say], OpenRun
  ]
  show_layout: Callable[[ml_collections.ConfigDict, int, str | None], str]
  draw: Callable[[ml_collections.ConfigDict, str], None]
  fit: (
    Callable[
      [ml_collections.ConfigDict, pathlib.Path, Mapping[str, Any], str, Say], None
    ]
    | None
  ) = None
