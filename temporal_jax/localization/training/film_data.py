"""The films of a run: those to train on and those to test, with features."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from temporal_jax.data.annotations.films import Film, FilmAnnotations, LeftOut
from temporal_jax.data.annotations.registry import open_films
from temporal_jax.data.annotations.segment_list import read_segment_list
from temporal_jax.data.sources import list_digest
from temporal_jax.evaluation.detection.film_segments import distinct_segments
from temporal_jax.localization.detector.detect import CLASSLESS
from temporal_jax.localization.features.film_features import FeatureKind
from temporal_jax.localization.features.store import FeatureStore, match_features
from temporal_jax.lookup import lookup

REPEATED = "a segment that repeats another one of its film"
_TRAIN, _TEST = "train", ("test", "validation")


class FilmData(NamedTuple):
  """The films of a run.

  Attributes:
    annotations: All films, and those left out.
    labelled: The same films with all labels that they have, also where segments
      are trained without a class or with one of several tasks.
    train: Those to train on.
    test: Those to test.
    class_names: Names of the classes.
    store: The features.
    kind: Kind of the features.
  """

  annotations: FilmAnnotations
  labelled: FilmAnnotations
  train: Sequence[Film]
  test: Sequence[Film]
  class_names: tuple[str, ...]
  store: FeatureStore
  kind: FeatureKind

  @property
  def labelled_test(self) -> list[Film]:
    """The films to test, with all labels."""
    films = {film.id: film for film in self.labelled.films}
    return [films[film.id] for film in self.test]

  def lists(self) -> dict[str, dict[str, int | str]]:
    """Returns the number of films and the digests of each list."""
    return {
      split: {
        "videos": len(films),
        "sha256": self._digest(films),
        "features": self.store.digest(films),
      }
      for split, films in (("train", self.train), ("test", self.test))
    }

  def _digest(self, films: Sequence[Film]) -> str:
    """Returns the sha256 of ids, segments and labels."""
    return list_digest(
      (
        film.id,
        film.segments.tolist(),
        [self.class_names[label] for label in film.labels],
      )
      for film in films
    )


def open_film_data(
  annotations: str,
  root: str,
  store: FeatureStore,
  *,
  task: str = "",
  class_agnostic: bool = False,
  distinct: bool = False,
  test_fraction: float = 0.2,
  on_error: str = "raise",
  class_names: Sequence[str] | None = None,
  kind: FeatureKind | None = None,
) -> FilmData:
  """Reads annotations and matches them with features.

  Args:
    annotations: A CSV file, see `read_segment_list`, or the name of a data set.
    root: Folder of a data set's files.
    store: The films' features.
    task: Name of the task whose labels are used, of several.
    class_agnostic: Whether all segments have one class.
    distinct: Whether repeated segments are left out.
    test_fraction: Share of the films that is kept for the test, where no film
      of a CSV file has a split.
    on_error: "raise", or "skip" to leave out wrong films and segments.
    class_names: Names of the classes of an earlier start, in their order.
    kind: Kind that the features must have; None takes the first film's.

  Raises:
    FileNotFoundError: If a file is missing.
    ValueError: If something is wrong and nothing may be, the classes differ
      from the earlier start's, or no film is left to train on or to test.
  """
  if not annotations:
    raise ValueError(
      "data.annotations must be a CSV file path,start,end,label or the name of a "
      "data set whose files are in data.root; it is empty."
    )
  known = None if class_agnostic else class_names
  if os.path.isfile(os.path.expanduser(annotations)) or annotations.endswith(".csv"):
    found = read_segment_list(
      os.path.expanduser(annotations), class_names=known, on_error=on_error
    )
    found = found._replace(films=_with_splits(found.films, test_fraction))
  else:
    found = open_films(annotations, root, on_error=on_error)
  trained = _of_task(found, task, class_agnostic)
  if known is not None and tuple(trained.class_names) != tuple(known):
    raise ValueError(
      f"the classes of {annotations} are not those that the run was trained with: "
      "labels would change their meaning. Take a new --workdir."
    )
  labelled, kind = match_features(found, store, kind=kind, on_error=on_error)
  found = _of_task(labelled, task, class_agnostic)
  if distinct:
    labelled, found = map(_without_repeated, (labelled, found))
  train = found.split(_TRAIN)
  test = next((films for films in map(found.split, _TEST) if films), [])
  _check_splits(train, test, found)
  return FilmData(found, labelled, train, test, tuple(found.class_names), store, kind)


def _with_splits(films: Sequence[Film], test_fraction: float) -> list[Film]:
  """Gives films without a split one: train, or a share of all of them test."""
  if any(film.split for film in films):
    return [film._replace(split=film.split or _TRAIN) for film in films]
  count = round(test_fraction * len(films))
  if test_fraction > 0 and len(films) > 1:
    count = min(max(count, 1), len(films) - 1)
  # By their names: a film that is added does not move all others.
  order = sorted(films, key=lambda film: hashlib.sha256(film.id.encode()).digest())
  test = {film.id for film in order[:count]}
  return [film._replace(split="test" if film.id in test else _TRAIN) for film in films]


def _of_task(
  annotations: FilmAnnotations, task: str, class_agnostic: bool
) -> FilmAnnotations:
  """Returns films with one label for each segment."""
  names, films = annotations.class_names, annotations.films
  if class_agnostic:
    films = [
      film._replace(labels=np.zeros(len(film.segments), np.int64)) for film in films
    ]
    return annotations._replace(films=films, class_names=CLASSLESS)
  if isinstance(names, Mapping):
    lookup(names, task, "data.task")
    place = list(names).index(task)
    films = [film._replace(labels=film.labels[:, place]) for film in films]
    return annotations._replace(films=films, class_names=tuple(names[task]))
  if task:
    raise ValueError(f"data.task must be empty, as films have one label; got {task!r}.")
  return annotations


def _without_repeated(annotations: FilmAnnotations) -> FilmAnnotations:
  """Leaves out segments that a film lists twice, and counts them."""
  films, left_out = [], []
  for film in annotations.films:
    kept = distinct_segments(film.segments, film.labels)
    left_out += [
      LeftOut(film.id, REPEATED, f"film {film.id[:80]!r}: {start} to {end} s.")
      for start, end in film.segments[~kept].tolist()
    ]
    films.append(film._replace(segments=film.segments[kept], labels=film.labels[kept]))
  return annotations._replace(films=films, left_out=(*annotations.left_out, *left_out))


def _check_splits(
  train: Sequence[Film], test: Sequence[Film], annotations: FilmAnnotations
) -> None:
  """Raises ValueError unless both have a film with a segment."""
  for words, films in (("to train on", train), ("to test", test)):
    if not any(len(film.segments) for film in films):
      raise ValueError(
        f"there is no film with a segment {words}: of {len(annotations.films)} films "
        f"{len(train)} are to train on and {len(test)} to test. A CSV file may have "
        "a column split (train, test), or none and data.test_fraction above 0."
      )
