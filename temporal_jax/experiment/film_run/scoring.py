"""The test films of a run, while it trains and in the end."""

import collections
import dataclasses
import pathlib
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils

from temporal_jax import data
from temporal_jax.data.annotations.films import Film
from temporal_jax.evaluation.detection import FilmDetections, FilmTruth
from temporal_jax.evaluation.detection.report import (
  by_class,
  detection_values,
  write_detection_report,
)
from temporal_jax.experiment.film_run.settings import FilmSettings
from temporal_jax.experiment.run_kind import FinalTest, Say
from temporal_jax.localization.detector.detect import Detector
from temporal_jax.localization.features.film_features import FilmFeatures
from temporal_jax.localization.training.film_data import FilmData
from temporal_jax.training.state import Tree


@dataclasses.dataclass(frozen=True)
class FilmScoring:
  """Detects segments in the test films; see `run_kind.Scoring`.

  A film whose features cannot be read counts as one without detections. Of
  several processes each detects in all films, on its first device.

  Attributes:
    settings: The run's settings.
    films: The run's films.
    detector: The network, with any variables.
    bad: What to do with a film whose features cannot be read.
  """

  settings: FilmSettings
  films: FilmData
  detector: Detector
  bad: data.BadVideos

  def quick(self, variables: Tree, say: Say) -> dict[str, float]:
    """Returns the values of the test."""
    values, _ = self._values(self._detect(variables))
    say(f"test: {self._coverage()}.")
    return values

  def final(self, variables: Tree) -> FinalTest:
    """Returns the same values, and their report."""
    began = time.perf_counter()
    detections = self._detect(variables)
    values, precision = self._values(detections)
    annotations = self.films.annotations
    summary = {
      **values,
      "thresholds": list(self.settings.thresholds),
      "films_trained": len(self.films.train),
      "films_tested": len(self.films.test),
      "segments_tested": sum(len(film.segments) for film in self.films.test),
      "segments_found": sum(len(found.scores) for found in detections.values()),
      "segments_of_other_classes": precision.num_ignored,
      "seconds": round(time.perf_counter() - began, 2),
      "counts": annotations.counts(),
      "left_out": [one._asdict() for one in annotations.left_out],
      "bad_films": self.bad.reasons(),
      "sequences": dataclasses.asdict(self.settings.form),
      "decoding": dataclasses.asdict(self.settings.decoding),
      "features": self.films.kind._asdict(),
      "per_class": by_class(precision, self.films.class_names),
    }

    def write(workdir: pathlib.Path, rows: Sequence[Mapping[str, Any]]) -> None:
      write_detection_report(
        workdir,
        summary,
        rows=rows,
        truth=self._truth(),
        detections=detections,
        durations={film.id: film.duration for film in self.films.test},
      )

    first = list(values.items())[:2]
    words = ", ".join(f"{name} {value:.1%}" for name, value in first)
    return FinalTest(values, f"{words} of {self._coverage()}.", write)

  def _coverage(self) -> str:
    """Returns in words how many of the films were tested."""
    listed = len(self.films.test)
    return f"{listed - len(self.bad.reasons())} films tested, {listed} listed"

  def _values(self, detections: Mapping[str, FilmDetections]) -> tuple:
    """Returns values by name, and the average precision of each class."""
    return detection_values(
      self._truth(),
      detections,
      self.settings.thresholds,
      max_proposals=self.settings.max_proposals,
    )

  def _truth(self) -> dict[str, FilmTruth]:
    """Returns the true segments of the test films."""
    return {film.id: FilmTruth(film.segments, film.labels) for film in self.films.test}

  def _detect(self, variables: Tree) -> dict[str, FilmDetections]:
    """Returns what is found in the films that can be read."""
    self.detector.variables = {"params": _on_host(variables["params"])}
    names: collections.deque[str] = collections.deque()
    found = self.detector.detect(
      self._read(names), batch_size=self.settings.config.eval.batch_size
    )
    return {names.popleft(): detections for detections in found}

  def _read(self, names: collections.deque[str]) -> Iterator[FilmFeatures]:
    """Yields the features of the films; notes the names of these films."""
    for film in self.films.test:
      features = self._features(film)
      if features is not None:
        names.append(film.id)
        yield features

  def _features(self, film: Film) -> FilmFeatures | None:
    try:
      return self.films.store.read(film)
    except (OSError, ValueError) as error:
      self.bad.add(film.id, str(error), listed=len(self.films.test))
      return None


def _on_host(variables: Tree) -> Tree:
  """Returns arrays that may be spread over devices as NumPy's."""

  def whole(array: Any) -> np.ndarray:
    if isinstance(array, jax.Array) and not array.is_fully_addressable:
      array = multihost_utils.process_allgather(array, tiled=True)
    return np.asarray(array)

  return jax.tree.map(whole, variables)
