"""Scores the test films of a run, during training and at its end."""

import collections
import dataclasses
import pathlib
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.experimental import multihost_utils

from temporal_jax import data, evaluation
from temporal_jax.data.annotations.films import Film
from temporal_jax.data.labels import ClassNames
from temporal_jax.evaluation.detection import FilmDetections, FilmTruth
from temporal_jax.evaluation.detection.detection_files import write_truth
from temporal_jax.evaluation.detection.report import (
  by_class,
  detection_values,
  proposal_values,
  write_detection_report,
)
from temporal_jax.evaluation.distributed import Stack
from temporal_jax.experiment.film_run.settings import FilmSettings
from temporal_jax.experiment.run_kind import FinalTest, Say
from temporal_jax.localization.detector.class_scores import ClassScores
from temporal_jax.localization.detector.detect import Detector, in_seconds
from temporal_jax.localization.features.film_features import FilmFeatures
from temporal_jax.localization.training.film_data import FilmData
from temporal_jax.training.state import Tree

_AGNOSTIC = "none: mAP is class-agnostic, as config.eval.class_scores is empty"


class Found(NamedTuple):
  """Segments found in the test films, by film.

  Attributes:
    plain: Segments with the labels of the network.
    labelled: Those that are scored: with the labels of class scores, if there
      are some.
  """

  plain: dict[str, FilmDetections]
  labelled: dict[str, FilmDetections]


@dataclasses.dataclass(frozen=True)
class FilmScoring:
  """Detects segments in the test films; see `run_kind.Scoring`.

  A film whose features cannot be read counts as one without detections. Several
  processes share the films, each on its first device, and all get all results.

  Attributes:
    settings: The run's settings.
    films: The run's films.
    detector: The network, with any variables.
    bad: Handling of films whose features cannot be read.
    class_scores: Scores of classes for each film, used to label segments
      without a class; None leaves them unlabelled.
    index: Number of this process.
    count: Number of processes.
    stack: Gathers arrays over processes.
  """

  settings: FilmSettings
  films: FilmData
  detector: Detector
  bad: data.BadVideos
  class_scores: ClassScores | None = None
  index: int = dataclasses.field(default_factory=jax.process_index)
  count: int = dataclasses.field(default_factory=jax.process_count)
  stack: Stack = evaluation.stack_processes

  def quick(self, variables: Tree, say: Say) -> dict[str, float]:
    """Returns the values of the test."""
    values, _ = self._values(self._detect(variables))
    say(f"test: {self._coverage(self._bad_films())}.")
    return values

  def final(self, variables: Tree) -> FinalTest:
    """Returns the same values, and their report."""
    began = time.perf_counter()
    found = self._detect(variables)
    values, precisions = self._values(found)
    bad = self._bad_films()
    main = next(iter(precisions.values()))
    annotations = self.films.annotations
    summary = {
      **values,
      "thresholds": list(self.settings.thresholds),
      "classes": self._classes(),
      "films_trained": len(self.films.train),
      "films_tested": len(self.films.test),
      "segments_tested": sum(len(film.segments) for film in self.films.test),
      "segments_found": sum(len(one.scores) for one in found.labelled.values()),
      "segments_of_other_classes": main.num_ignored,
      "seconds": round(time.perf_counter() - began, 2),
      "counts": annotations.counts(),
      "left_out": [one._asdict() for one in annotations.left_out],
      "bad_films": bad,
      "sequences": dataclasses.asdict(self.settings.form),
      "decoding": dataclasses.asdict(self.settings.decoding),
      "features": self.films.kind._asdict(),
      "per_class": self._per_class(precisions),
    }

    def write(workdir: pathlib.Path, rows: Sequence[Mapping[str, Any]]) -> None:
      write_detection_report(
        workdir,
        summary,
        class_names=self._class_names(),
        rows=rows,
        truth=self._truth(),
        detections=found.labelled,
        durations={film.id: film.duration for film in self.films.test},
      )
      labelled = self.films.labelled
      write_truth(
        workdir / "truth.json", _truth(self.films.labelled_test), labelled.class_names
      )

    first = list(values.items())[:1] + [("mAP", values["mAP"])]
    words = ", ".join(f"{name} {value:.1%}" for name, value in dict(first).items())
    if self._is_agnostic():
      words += " (without classes)"
    return FinalTest(values, f"{words} of {self._coverage(bad)}.", write)

  def _coverage(self, bad: Mapping[str, str]) -> str:
    """Returns the number of tested films, in words."""
    listed = len(self.films.test)
    return f"{listed - len(bad)} films tested, {listed} listed"

  def _bad_films(self) -> dict[str, str]:
    """Returns the reason for each film that could not be read."""
    reasons = evaluation.gather_json(self.bad.reasons(), self.stack)
    return dict(collections.ChainMap(*reasons))

  def _is_agnostic(self) -> bool:
    """Whether scores are of segments without a class."""
    return self.settings.config.data.class_agnostic and self.class_scores is None

  def _classes(self) -> str:
    """Returns the origin of the classes of segments, in words."""
    if self.class_scores is not None:
      return f"by the class scores {self.class_scores.place}"
    return _AGNOSTIC if self._is_agnostic() else "by the network"

  def _class_names(self) -> ClassNames:
    """Returns the names of the classes that are scored."""
    if self.class_scores is not None:
      return self.class_scores.class_names
    return self.films.class_names

  def _values(self, found: Found) -> tuple:
    """Returns values by name, and the average precision of each class."""
    settings, values = self.settings, {}
    if settings.max_proposals is not None:
      values = proposal_values(
        _truth(self.films.test), found.plain, max_proposals=settings.max_proposals
      )
    more, precisions = detection_values(
      self._truth(), found.labelled, settings.thresholds, tasks=settings.tasks
    )
    return {**values, **more}, precisions

  def _per_class(self, precisions: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the average precision of each class, of each of several tasks."""
    names = self._class_names()
    if not isinstance(names, Mapping):
      return by_class(precisions[""], names)
    return {task: by_class(precisions[task], of) for task, of in names.items()}

  def _truth(self) -> dict[str, FilmTruth]:
    """Returns the true segments of the test films, as they are scored."""
    labelled = self.class_scores is not None
    return _truth(self.films.labelled_test if labelled else self.films.test)

  def _detect(self, variables: Tree) -> Found:
    """Returns the segments found in the films that can be read."""
    self.detector.variables = {"params": _on_host(variables["params"])}
    films: list[Film] = []
    labeller = None
    if self.class_scores is not None:
      labeller = self.class_scores.labeller(films, self.settings.decoding)
    own = []
    for one in self.detector.find(
      self._read(films), batch_size=self.settings.config.eval.batch_size
    ):
      plain = in_seconds(one.found, one.film)
      labelled = in_seconds(labeller(one), one.film) if labeller else plain
      own.append((films[one.number].id, *map(_as_lists, (plain, labelled))))
    parts = evaluation.gather_json(own, self.stack)
    found = {film: both for part in parts for film, *both in part}
    ids = [film.id for film in self.films.test if film.id in found]
    tail = (len(self.settings.tasks),) if self.settings.tasks else ()
    return Found(
      {film: _as_arrays(found[film][0]) for film in ids},
      {film: _as_arrays(found[film][1], tail) for film in ids},
    )

  def _read(self, films: list[Film]) -> Iterator[FilmFeatures]:
    """Yields the features of this process's films; notes which they are."""
    for film in self.films.test[self.index :: self.count]:
      features = self._features(film)
      if features is not None:
        films.append(film)
        yield features

  def _features(self, film: Film) -> FilmFeatures | None:
    try:
      return self.films.store.read(film)
    except (OSError, ValueError) as error:
      self.bad.add(film.id, str(error), listed=len(self.films.test))
      return None


def _truth(films: Sequence[Film]) -> dict[str, FilmTruth]:
  return {film.id: FilmTruth(film.segments, film.labels) for film in films}


def _as_lists(found: FilmDetections) -> list[Any]:
  return [part.tolist() for part in found]


def _as_arrays(found: Sequence[Any], tail: tuple[int, ...] = ()) -> FilmDetections:
  """Returns the detections of a film, labels (N, *tail)."""
  segments, labels, scores = found
  return FilmDetections(
    np.asarray(segments, np.float64).reshape(-1, 2),
    np.asarray(labels, np.int64).reshape(-1, *tail),
    np.asarray(scores, np.float64),
  )


def _on_host(variables: Tree) -> Tree:
  """Returns arrays that may be spread over devices as NumPy's."""

  def whole(array: Any) -> np.ndarray:
    if isinstance(array, jax.Array) and not array.is_fully_addressable:
      array = multihost_utils.process_allgather(array, tiled=True)
    return np.asarray(array)

  return jax.tree.map(whole, variables)
