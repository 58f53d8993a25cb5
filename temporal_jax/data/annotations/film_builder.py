"""Builds films from rows of annotation files, and names wrong rows."""

import collections
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from absl import logging

from temporal_jax.data.annotations.fields import class_number, numbered, seconds
from temporal_jax.data.annotations.films import (
  Film,
  FilmAnnotations,
  LeftOut,
  empty_labels,
)
from temporal_jax.data.labels import ClassNames, class_order
from temporal_jax.display import printable
from temporal_jax.lookup import alike_names
from temporal_jax.validation import check_choice

ON_ERROR = ("raise", "skip")
# Handling of segments past the film's end: wrong rows, or segments that no
# detection can meet, where published scores count them.
PAST_END = ("refuse", "keep")
# Reasons for leaving out a segment or a film.
NO_TIME = "a time that is no seconds"
NO_LENGTH = "it does not end after it starts"
PAST_THE_END = "it is past the film's end"
UNKNOWN_LABEL = "an unknown label"
NO_DURATION = "a film's duration or frames per second that are none"
NONE_LEFT = "a film all of whose segments are left out"
# Published times are rounded: of ActivityNet's 22,152 segments 215 end after
# their films, by 0.85 s at most.
_CUT_SECONDS = 1.0


class Omissions:
  """Rows that are wrong: the first one is refused, or all are left out."""

  def __init__(self, on_error: str, *, past_end: str = "refuse"):
    """Starts empty.

    Args:
      on_error: "raise" or "skip".
      past_end: One of `PAST_END`.

    Raises:
      ValueError: If one of them is unknown.
    """
    check_choice("on_error", on_error, ON_ERROR)
    check_choice("past_end", past_end, PAST_END)
    self._raises = on_error == "raise"
    self._keeps_past_end = past_end == "keep"
    self.found: list[LeftOut] = []
    self.num_cut = 0
    self.past_end: list[str] = []

  def refuse(self, film: str, reason: str, message: str) -> None:
    """Notes a wrong row; raises ValueError if none is allowed."""
    if self._raises:
      raise ValueError(f"{message} on_error 'skip' leaves it out.")
    self.leave_out(film, reason, message)

  def leave_out(self, film: str, reason: str, message: str) -> None:
    """Notes a film or a segment that is left out."""
    self.found.append(LeftOut(film, reason, message))

  def end_in_film(
    self, where: str, film: str, start: float, end: float, duration: float
  ) -> float | None:
    """Returns the end of a segment in its film, None if it is refused."""
    if start < duration and end <= duration + _CUT_SECONDS:
      self.num_cut += end > duration
      return min(end, duration)
    message = (
      f"{where}: the segment {start} to {end} s is past the end of the film, "
      f"which has {duration} s."
    )
    if self._keeps_past_end:
      self.past_end.append(message)
      return end
    self.refuse(film, PAST_THE_END, message)
    return None

  def log(self, where: str) -> None:
    """Warns of omissions, with counts and the first of each reason.

    Segments past the film's end that are kept are reported alike.
    """
    if self.past_end:
      logging.warning(
        "%s: %d kept that no detection can meet, past the end of their films: %s",
        printable(where),
        len(self.past_end),
        printable(self.past_end[0]),
      )
    firsts = {one.reason: one for one in reversed(self.found)}
    counts = collections.Counter(one.reason for one in self.found)
    for reason, count in counts.items():
      logging.warning(
        "%s: %d left out, %s: %s",
        printable(where),
        count,
        reason,
        printable(firsts[reason].message),
      )


class FilmBuilder:
  """Collects films and their segments, and checks each."""

  def __init__(
    self,
    on_error: str,
    *,
    class_names: Sequence[str] | None = None,
    read_label: Callable[[str, Any], int | tuple[int, ...]] | None = None,
    past_end: str = "refuse",
  ):
    """Starts empty.

    Args:
      on_error: "raise", or "skip" to leave out a wrong row.
      class_names: Names of the classes; others are wrong. None takes all names
        there are.
      read_label: Called with a place and a label, returns its number, or raises
        ValueError. By default a label is a name.
      past_end: Handling of segments past the film's end, one of `PAST_END`.

    Raises:
      ValueError: If `on_error` or `past_end` is unknown.
    """
    self._class_names = class_names
    self._read_label = read_label or self._check_name
    self._numbers = numbered(class_names or ())
    self._films: dict[str, Film] = {}
    self._segments: dict[str, list[tuple[float, float]]] = {}
    self._labels: dict[str, list[Any]] = {}
    self._wrong_films: set[str] = set()
    self._past_end = past_end
    self.omissions = Omissions(on_error, past_end=past_end)

  def add_film(
    self,
    where: str,
    name: str,
    *,
    path: str,
    split: str,
    duration: Any = None,
    fps: Any = None,
  ) -> None:
    """Adds a film, or checks that a repeated film is the same.

    Args:
      where: The place in the file, for messages.
      name: The film's id.
      path: See `Film`.
      split: See `Film`.
      duration: The cell, None if there is none.
      fps: The cell, None if there is none.

    Raises:
      ValueError: If the film is there already and differs, or its duration or
        frames per second are wrong and nothing may be.
    """
    if name in self._wrong_films:
      return
    numbers = {"duration": duration, "fps": fps}
    for field, value in numbers.items():
      try:
        numbers[field] = None if value is None else _above_zero(where, field, value)
      except ValueError as error:
        self._wrong_films.add(name)
        self._films.pop(name, None)
        self.omissions.refuse(name, NO_DURATION, str(error))
        return
    none = np.zeros((0, 2))
    film = Film(name, path, split, none, none, **numbers)
    known = self._films.setdefault(name, film)
    # Tuples with the same array are compared by their other members.
    if known._replace(segments=none, labels=none) != film:
      differ = [
        f"{field} {new!r} here and {old!r} before"
        for field, new, old in zip(Film._fields, film, known, strict=True)
        if field not in ("segments", "labels") and new != old
      ]
      raise ValueError(
        f"{where}: the film {printable(name[:80])!r} has {', '.join(differ)}."
      )

  def add_segment(
    self, where: str, name: str, label: Any, start: Any, end: Any
  ) -> None:
    """Adds a segment of a film that was added.

    Args:
      where: The place in the file, for messages.
      name: The film's id.
      label: The label in the file.
      start: The cell, seconds or h:m:s.
      end: The cell.

    Raises:
      ValueError: If it is wrong and nothing may be.
    """
    if name in self._wrong_films:
      return
    film = self._films[name]
    self._segments.setdefault(name, [])
    try:
      begin, stop = (
        seconds(where, field, value)
        for field, value in (("start", start), ("end", end))
      )
    except ValueError as error:
      self.omissions.refuse(name, NO_TIME, str(error))
      return
    if stop <= begin:
      message = (
        f"{where}: the segment {begin} to {stop} s does not end after it starts."
      )
      self.omissions.refuse(name, NO_LENGTH, message)
      return
    try:
      found = self._read_label(where, label)
    except ValueError as error:
      self.omissions.refuse(name, UNKNOWN_LABEL, str(error))
      return
    if film.duration is not None:
      stop = self.omissions.end_in_film(where, name, begin, stop, film.duration)
      if stop is None:
        return
    self._segments[name].append((begin, stop))
    self._labels.setdefault(name, []).append(found)

  def leave_out_segment(self, name: str, reason: str, message: str) -> None:
    """Notes a segment of a film that is not wrong and not kept either."""
    self._segments.setdefault(name, [])
    self.omissions.leave_out(name, reason, message)

  def build(self, where: str, class_names: ClassNames | None = None) -> FilmAnnotations:
    """Returns the films; a film that lost all its segments is left out.

    It is no film without segments: its content is labelled, but unknown.

    Args:
      where: The files, for messages.
      class_names: Names of the classes, where labels are numbers.

    Raises:
      ValueError: If all films are left out.
    """
    names = class_names if class_names is not None else self._class_names
    if names is None:
      names = class_order(name for of in self._labels.values() for name in of)
      if alike := alike_names(names, names):
        logging.warning("%s: %d classes%s", printable(where), len(names), alike)
    numbers = None if class_names is not None else numbered(names)
    films = []
    for name, film in self._films.items():
      segments, labels = self._segments.get(name), self._labels.get(name, [])
      if segments is not None and not segments:
        message = f"{where}: no segment of the film {name[:80]!r} is left."
        self.omissions.leave_out(name, NONE_LEFT, message)
        continue
      if not segments:
        films.append(film._replace(labels=empty_labels(names)))
        continue
      if numbers is not None:
        labels = [numbers[label] for label in labels]
      films.append(
        film._replace(
          segments=np.array(segments, np.float64), labels=np.array(labels, np.int64)
        )
      )
    self.omissions.log(where)
    found = self.omissions
    if found.found and not films:
      raise ValueError(
        f"{where}: all films are left out; the first: {found.found[0].message}"
      )
    return FilmAnnotations(
      films, names, tuple(found.found), found.num_cut, self._past_end
    )

  def _check_name(self, where: str, label: Any) -> str:
    """Returns the name of a class."""
    of_kind = isinstance(label, str | int) and not isinstance(label, bool)
    if not of_kind or not str(label).strip():
      raise ValueError(f"{where}: label must be text, got {repr(label)[:80]}.")
    if self._class_names is not None:
      class_number(where, self._numbers, str(label))
    return str(label)


def with_durations(
  annotations: FilmAnnotations, durations: Mapping[str, float], *, on_error: str
) -> FilmAnnotations:
  """Checks segments against durations that became known later.

  Args:
    annotations: The films.
    durations: Film -> seconds, e.g. the length of its features; a film that has
      a duration keeps it.
    on_error: "raise", or "skip" to leave out a segment past the end; where the
      annotations keep these, neither.

  Raises:
    ValueError: If a segment is past the end and none may be.
  """
  omissions = Omissions(on_error, past_end=annotations.past_end)
  films = []
  for film in annotations.films:
    duration = durations.get(film.id)
    if duration is None:
      films.append(film)
      continue
    where, is_past = f"film {film.id[:80]!r}", film.is_past_end().tolist()
    ends = [
      end if past else omissions.end_in_film(where, film.id, start, end, duration)
      for (start, end), past in zip(film.segments.tolist(), is_past, strict=True)
    ]
    kept = np.array([end is not None for end in ends], bool)
    if len(kept) and not kept.any():
      message = f"no segment of the film {film.id[:80]!r} is left."
      omissions.leave_out(film.id, NONE_LEFT, message)
      continue
    segments = film.segments[kept]
    segments[:, 1] = [end for end in ends if end is not None]
    known = duration if film.duration is None else film.duration
    films.append(
      film._replace(segments=segments, labels=film.labels[kept], duration=known)
    )
  omissions.log("durations of films")
  return annotations._replace(
    films=films,
    left_out=(*annotations.left_out, *omissions.found),
    num_cut=annotations.num_cut + omissions.num_cut,
  )


def without_films(
  annotations: FilmAnnotations, left_out: Iterable[LeftOut], *, on_error: str
) -> FilmAnnotations:
  """Leaves films out, such as those without features.

  Args:
    annotations: The films.
    left_out: Films to leave out, and why.
    on_error: "raise" refuses the first of them, "skip" leaves them out.

  Raises:
    ValueError: If there is one and none may be, or no film is left.
  """
  omissions = Omissions(on_error)
  for one in left_out:
    omissions.refuse(*one)
  gone = {one.film for one in omissions.found}
  films = [film for film in annotations.films if film.id not in gone]
  if gone and not films:
    raise ValueError(f"no film is left: {omissions.found[0].message}")
  omissions.log("films")
  return annotations._replace(
    films=films, left_out=(*annotations.left_out, *omissions.found)
  )


def _above_zero(where: str, name: str, value: Any) -> float:
  """Returns a cell as a number above 0; raises ValueError if it is none."""
  try:
    number = seconds(where, name, value)
  except ValueError:
    number = 0.0
  if not number:
    raise ValueError(
      f"{where}: {name} must be a number above 0, got {repr(value)[:80]}."
    )
  return number
