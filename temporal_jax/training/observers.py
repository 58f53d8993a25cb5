"""Observers of a run: TensorBoard, Weights & Biases and Trackio.

An observer gets copies of the records. It never changes or stops a run: its
first failure is a warning, and the run goes on.
"""

import importlib
import importlib.util
import json
import pathlib
import secrets
from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from absl import logging

from temporal_jax.lookup import lookup
from temporal_jax.storage import write_text

# The name under which the services know the run, kept for the next start.
RUN_ID = "observers.json"


class RunStart(NamedTuple):
  """A start of a run.

  Attributes:
    workdir: Folder of the run.
    step: Steps of earlier starts that this one goes on after.
    project: Project of the services; "" for their own default.
    config: Fields of the config, as JSON has them.
    description: Content of model.json.
  """

  workdir: pathlib.Path
  step: int
  project: str
  config: Mapping[str, Any]
  description: Mapping[str, Any]

  @property
  def settings(self) -> dict[str, Any]:
    """Config and description in one dict, for services that show one."""
    return {**self.config, "description": dict(self.description)}

  def run_id(self) -> str:
    """Returns the run's own name, which all its starts share.

    Raises:
      ValueError: If the file of an earlier start is damaged.
    """
    file = self.workdir / RUN_ID
    if not file.exists():
      write_text(file, json.dumps({"id": secrets.token_hex(4)}) + "\n")
    try:
      return str(json.loads(file.read_text(encoding="utf-8"))["id"])
    except (KeyError, RecursionError, TypeError, ValueError) as error:
      raise ValueError(f'{file} must hold {{"id": name}} ({error}).') from None


class Observer(Protocol):
  """An open observer of one start of a run."""

  def row(self, step: int, values: Mapping[str, float]) -> None:
    """Takes the metrics and timings of a logging step.

    In the end it takes the values of the final test, "final/top1" etc.
    """

  def end(self, failed: bool) -> None:
    """Ends the start.

    Args:
      failed: Whether an error ended it, rather than its last step or a signal.
    """


class _Entry(NamedTuple):
  """An observer in the table.

  Attributes:
    package: Package of the service, which is the name of its extra too.
    module: Module next to this one, imported only if the observer is chosen.
    factory: Its function RunStart -> Observer.
  """

  package: str
  module: str
  factory: str


OBSERVERS: Mapping[str, _Entry] = MappingProxyType(
  {
    "tensorboard": _Entry("tensorboardX", "tensorboard_events", "open_events"),
    "trackio": _Entry("trackio", "trackio_run", "TrackioRun"),
    "wandb": _Entry("wandb", "wandb_run", "WandbRun"),
  }
)


def check_observers(names: Collection[str]) -> None:
  """Checks that observers can be opened; imports nothing.

  Args:
    names: Names of observers.

  Raises:
    ImportError: If the package of one is not installed.
    ValueError: If there is no such observer.
  """
  for name in names:
    package = lookup(OBSERVERS, name, "observer").package
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:  # It may be just a folder "wandb".
      raise ImportError(
        f"the observer {name!r} needs {package}: run `pip install '.[{name}]'` in a "
        "copy of the repository."
      )


class Observers:
  """The chosen observers of one start of a run."""

  def __init__(self, names: Collection[str], start: RunStart):
    """Opens the observers.

    Args:
      names: Names that `check_observers` accepts.
      start: The start that they observe.
    """
    self._open: dict[str, Observer] = {}
    self._warned: set[str] = set()
    for name in dict.fromkeys(names):
      self._guard(name, lambda name=name: self._open_one(name, start))

  def row(self, step: int, values: Mapping[str, float]) -> None:
    """See `Observer.row`."""
    self._call(lambda observer: observer.row(step, values))

  def end(self, failed: bool) -> None:
    """See `Observer.end`."""
    self._call(lambda observer: observer.end(failed))

  def _open_one(self, name: str, start: RunStart) -> None:
    entry = OBSERVERS[name]
    module = importlib.import_module(f"{__package__}.{entry.module}")
    self._open[name] = getattr(module, entry.factory)(start)

  def _call(self, call: Callable[[Observer], None]) -> None:
    for name, observer in self._open.items():
      self._guard(name, lambda observer=observer: call(observer))

  def _guard(self, name: str, call: Callable[[], None]) -> None:
    """Calls; the first error of an observer is a warning."""
    try:
      call()
    except Exception as error:  # A package, a network or a service may raise any.
      if name not in self._warned:
        self._warned.add(name)
        logging.warning(
          "the observer %s failed, and the run goes on: %s: %s",
          *(name, type(error).__name__, " ".join(str(error).split())),
        )
