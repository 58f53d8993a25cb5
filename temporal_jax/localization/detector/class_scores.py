"""Scores of classes for films, which label segments that have no class.

They are a file of scores of whole films, as runs that classify write it, or a
folder of logits of windows, as `temporal-jax extract --features logits/verb`
writes them into its folder "verb", and those of nouns into "noun".
"""

import dataclasses
import os
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from temporal_jax.data.annotations.films import Film
from temporal_jax.data.labels import ClassNames
from temporal_jax.display import printable
from temporal_jax.evaluation.saved_scores import load_scores
from temporal_jax.localization.detector.decoding_settings import Decoding
from temporal_jax.localization.detector.labellers import (
  FilmLabels,
  Labeller,
  PairLabels,
)
from temporal_jax.localization.features.film_features import FilmFeatures
from temporal_jax.localization.features.store import FeatureStore, film_names
from temporal_jax.untrusted.npz import check_arrays, open_npz

TASKS = ("verb", "noun")
_NAMED = 3  # Films or classes that a message names, at most.


@dataclasses.dataclass(frozen=True)
class FilmClassScores:
  """Scores of whole films, of which each has few classes.

  Attributes:
    place: The file, for messages.
    class_names: Names of the L classes.
    scores: Probabilities (N, L).
    rows: Name of a film -> its row; names that two films share are not there.
  """

  place: str
  class_names: tuple[str, ...]
  scores: np.ndarray
  rows: Mapping[str, int]

  def check(self, films: Sequence[Film]) -> None:
    """Raises ValueError if a film has no scores, or shares them."""
    _check_films(self.place, films, self._row)
    owners: dict[int, str] = {}
    for film in films:
      other = owners.setdefault(self._row(film), film.id)
      if other != film.id:
        raise ValueError(
          f"the films {printable(other[:80])!r} and {printable(film.id[:80])!r} "
          f"would both have the same scores of {self.place}."
        )

  def labeller(self, films: Sequence[Film], decoding: Decoding) -> Labeller:
    """Returns a function that labels the segments of films.

    Args:
      films: The films in the order that a detector reads them; it may grow
        while they are read.
      decoding: Settings with the number of classes for each segment and its
        score.
    """
    return FilmLabels(
      _ByFilm(films, lambda film: self.scores[self._row(film)]),
      num_labels=decoding.num_labels,
      power=decoding.label_power,
    )

  def _row(self, film: Film) -> int:
    for name in film_names(film):
      if name in self.rows:
        return self.rows[name]
    raise FileNotFoundError(film.id)


@dataclasses.dataclass(frozen=True)
class WindowClassScores:
  """Logits of verbs and of nouns for windows of films.

  Attributes:
    place: The folder, for messages.
    class_names: Names of the verbs and of the nouns, by task.
    stores: The files of each task.
  """

  place: str
  class_names: Mapping[str, tuple[str, ...]]
  stores: Mapping[str, FeatureStore]

  def check(self, films: Sequence[Film]) -> None:
    """Raises ValueError if a film lacks logits, or has other classes."""
    for task, store in self.stores.items():
      where = f"{self.place}{os.sep}{task}"
      _check_films(where, films, store.find)
      count = len(self.class_names[task])
      for film in films:
        width = store.describe(film).kind.width
        if width != count:
          raise ValueError(
            f"the class scores of {printable(film.id[:80])!r} in {where} must have "
            f"{count} columns, one for each {task}, got {width}."
          )

  def labeller(self, films: Sequence[Film], decoding: Decoding) -> Labeller:
    """Returns a labelling function; see `FilmClassScores.labeller`."""
    verbs, nouns = (_ByFilm(films, self.stores[task].read) for task in TASKS)
    return PairLabels(
      verbs, nouns, num_pairs=decoding.num_labels, power=decoding.label_power
    )


ClassScores = FilmClassScores | WindowClassScores


def is_of_windows(place: str | os.PathLike) -> bool:
  """Whether class scores are of windows, a folder, by the place's name."""
  return pathlib.Path(place).suffix.lower() != ".npz"


def open_class_scores(
  place: str | os.PathLike, class_names: ClassNames | None = None
) -> ClassScores:
  """Opens class scores; those of windows are read film by film.

  Args:
    place: File of the scores of films (.npz), or folder with the folders "verb"
      and "noun" of the logits of windows.
    class_names: Names of the classes in the order of the labels; None takes
      those of the scores.

  Raises:
    FileNotFoundError: If there is none.
    ValueError: If the classes are others, or are not known, or see
      `load_scores`.
  """
  path = pathlib.Path(place).expanduser()
  if is_of_windows(place):
    return _open_windows(path, class_names)
  if isinstance(class_names, Mapping):
    raise ValueError(
      f"the class scores {path} are of one class for each film, but segments have "
      f"{' and '.join(class_names)}: a folder of the scores of windows is needed."
    )
  saved = load_scores(path)
  if isinstance(saved.class_names, Mapping):
    raise ValueError(
      f"the class scores {path} must be of one task, got {list(saved.class_names)}."
    )
  names = saved.class_names if class_names is None else tuple(class_names)
  columns = _columns(f"{path}", saved.class_names, names)
  scores = saved.predictions.scores[:, columns]
  if not ((scores >= 0) & (scores <= 1)).all():
    raise ValueError(f"the class scores {path} must be probabilities, in [0, 1].")
  return FilmClassScores(f"{path}", names, scores, _rows(saved.predictions.ids))


def _open_windows(
  folder: pathlib.Path, class_names: ClassNames | None
) -> WindowClassScores:
  if class_names is not None and (
    not isinstance(class_names, Mapping) or sorted(class_names) != sorted(TASKS)
  ):
    raise ValueError(
      f"the class scores {folder} are of verbs and nouns, but segments have one "
      "label each: a file of the scores of films (.npz) is needed."
    )
  stores = {task: FeatureStore(folder / task) for task in TASKS}
  names = {}
  for task in TASKS:
    found = _names_in(folder / task)
    known = found if class_names is None else tuple(class_names[task])
    if not known:
      raise ValueError(
        f"the class scores {folder / task} do not name their classes; `temporal-jax "
        f"extract --features logits/{task}` does."
      )
    if found and _columns(f"{folder / task}", found, known) != [*range(len(known))]:
      raise ValueError(
        f"the class scores {folder / task} have their classes in another order."
      )
    names[task] = known
  return WindowClassScores(f"{folder}", names, stores)


def _names_in(folder: pathlib.Path) -> tuple[str, ...]:
  """Returns the class names of a folder's first file, () if there are none."""
  file = min(folder.rglob("*.npz"), default=None)
  if file is None:
    return ()
  with open_npz(file, "class scores") as npz:
    if "class_names" not in npz.declared:
      return ()
    check_arrays(npz.declared, {"class_names": ("text", (None,))})
    return tuple(npz.read("class_names").tolist())


def _columns(place: str, found: Sequence[str], wanted: Sequence[str]) -> list[int]:
  """Returns the column of each wanted class; refuses others."""
  numbers = {name: number for number, name in enumerate(found)}
  missing = [name for name in wanted if name not in numbers]
  others = [name for name in found if name not in {*wanted}]
  if missing or others or len(numbers) < len(found):
    raise ValueError(
      f"the class scores {place} are of {len(found)} classes, segments of "
      f"{len(wanted)}: {_words(missing)} have no scores and {_words(others)} are no "
      "classes of segments."
    )
  return [numbers[name] for name in wanted]


def _words(names: Sequence[str]) -> str:
  more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
  return f"{printable(str(list(names[:_NAMED]))[:200])}{more}"


def _rows(ids: Sequence[str]) -> dict[str, int]:
  """Returns rows by a film's name: its id, or its video's name."""
  rows: dict[str, int] = dict(zip(ids, range(len(ids)), strict=True))
  short: dict[str, list[int]] = {}
  for name, row in rows.items():
    short.setdefault(os.path.splitext(os.path.basename(name))[0], []).append(row)
  single = {name: of[0] for name, of in short.items() if len(of) == 1}
  return {**single, **rows}


def _check_films(
  place: str, films: Sequence[Film], find: Callable[[Film], Any]
) -> None:
  """Raises ValueError if films cannot be found."""
  missing = []
  for film in films:
    try:
      find(film)
    except FileNotFoundError:
      missing.append(film.id)
  if missing:
    raise ValueError(
      f"{len(missing)} of {len(films)} films have no class scores in {place}: "
      f"{_words(missing)}."
    )


class _ByFilm(Sequence):
  """Values of each film of a list, read when they are asked for."""

  def __init__(
    self, films: Sequence[Film], read: Callable[[Film], np.ndarray | FilmFeatures]
  ):
    self._films, self._read = films, read

  def __len__(self) -> int:
    return len(self._films)

  def __getitem__(self, number: int) -> np.ndarray | FilmFeatures:
    return self._read(self._films[number])
