"""Detections and true segments as JSON files in ActivityNet's format."""

import json
import os
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from temporal_jax.evaluation.detection.film_segments import (
  FilmDetections,
  FilmTruth,
)
from temporal_jax.evaluation.saved_scores import ClassNames
from temporal_jax.storage import write_text
from temporal_jax.untrusted import fields
from temporal_jax.untrusted.json_text import read_json

# EPIC-Kitchens-100 has some 300,000 detections of some 100 bytes.
_MAX_BYTES = 2**29
_NAME = fields.text(1000)
_TIME = fields.number(-1e9, 1e9)
_SEGMENT = fields.list_of(_TIME, 2, 2)
_SCORE = fields.number(-1e9, 1e9)


def write_detections(
  file: str | pathlib.Path,
  detections: Mapping[str, FilmDetections],
  class_names: ClassNames,
) -> None:
  """Writes detections, as ActivityNet takes them.

  {"results": {film: [{"label", "score", "segment": [start, end]}, ...]}}, the
  times in seconds, the best score first. Of verbs and nouns there are "verb"
  and "noun" instead of "label".

  Args:
    file: JSON to write.
    detections: Film -> its detections.
    class_names: Names of the classes, or a dict with one list per task.
  """
  results = {
    film: [
      {
        **names,
        "score": float(f"{score:.9g}"),
        "segment": [round(start, 6), round(end, 6)],
      }
      for (start, end), names, score in zip(
        found.segments.tolist(),
        _named(found.labels, class_names),
        found.scores.tolist(),
        strict=True,
      )
    ]
    for film, found in detections.items()
  }
  content = {"version": "temporal_jax", "results": results, "external_data": {}}
  write_text(pathlib.Path(file), json.dumps(content) + "\n")


def write_truth(
  file: str | pathlib.Path, truth: Mapping[str, FilmTruth], class_names: ClassNames
) -> None:
  """Writes the true segments of the tested films, as ActivityNet does.

  {"database": {film: {"annotations": [{"label", "segment": [start, end]},
  ...]}}}, or "verb" and "noun" instead of "label".

  Args:
    file: JSON to write.
    truth: Film -> its true segments.
    class_names: Names of the classes, or a dict with one list per task.
  """
  database = {
    film: {
      "annotations": [
        {**names, "segment": segment}
        for segment, names in zip(
          np.asarray(one.segments, np.float64).reshape(-1, 2).tolist(),
          _named(one.labels, class_names),
          strict=True,
        )
      ]
    }
    for film, one in truth.items()
  }
  content = {"version": "temporal_jax", "database": database}
  write_text(pathlib.Path(file), json.dumps(content) + "\n")


def _named(labels: np.ndarray, class_names: ClassNames) -> list[dict[str, str]]:
  """Returns the names of labels (N,), or (N, K) of K tasks, by task."""
  if not isinstance(class_names, Mapping):
    return [{"label": class_names[label]} for label in labels.tolist()]
  return [
    {
      task: names[label]
      for (task, names), label in zip(class_names.items(), row, strict=True)
    }
    for row in labels.tolist()
  ]


def read_detections(
  file: str | os.PathLike, class_names: Sequence[str]
) -> dict[str, FilmDetections]:
  """Reads a file of `write_detections`, of one task.

  Args:
    file: detections.json of a run.
    class_names: Names of the L classes in the order of the labels. Other
      classes that were found have the labels from L on.

  Raises:
    FileNotFoundError: If there is no such file.
    ValueError: If it holds something else, or nothing of these classes.
  """
  numbers = {name: number for number, name in enumerate(class_names)}
  found = {}
  for film, where, entries in _films(file, "results"):
    checks = {"label": _NAME, "score": _SCORE, "segment": _SEGMENT}
    rows = [_members(where, entry, checks) for entry in entries]
    for row in rows:
      numbers.setdefault(row["label"], len(numbers))
    found[film] = FilmDetections(
      np.array([row["segment"] for row in rows], np.float64).reshape(-1, 2),
      np.array([numbers[row["label"]] for row in rows], np.int64),
      np.array([row["score"] for row in rows], np.float64),
    )
  labels = [label for one in found.values() for label in one.labels.tolist()]
  if labels and min(labels) >= len(class_names):
    raise ValueError(
      f"{file} has no segment of {list(class_names[:3])} or the {len(class_names)} "
      "classes in all that it must be of."
    )
  return found


def read_task_truth(
  file: str | os.PathLike, tasks: Sequence[str]
) -> tuple[dict[str, FilmTruth], dict[str, tuple[str, ...]]]:
  """Reads a file of `write_truth`, of several tasks.

  Args:
    file: truth.json of a run.
    tasks: Names of the K tasks.

  Returns:
    Film -> its true segments with labels (N, K), and the names of the classes
    of each task, those that there are, sorted.

  Raises:
    FileNotFoundError: If there is no such file.
    ValueError: If it holds something else.
  """
  checks = {**dict.fromkeys(tasks, _NAME), "segment": _SEGMENT}
  films = {}
  for film, where, entry in _films(file, "database"):
    entries = entry.get("annotations") if isinstance(entry, dict) else None
    if not isinstance(entries, list):
      fields.refuse(f"{where}: annotations", entries, "a list")
    films[film] = [_members(where, one, checks) for one in entries]
  names, truth = {}, {}
  for task in tasks:
    names[task] = tuple(sorted({row[task] for rows in films.values() for row in rows}))
  numbers = {task: {name: n for n, name in enumerate(of)} for task, of in names.items()}
  for film, rows in films.items():
    labels = [[numbers[task][row[task]] for task in tasks] for row in rows]
    truth[film] = FilmTruth(
      np.array([row["segment"] for row in rows], np.float64).reshape(-1, 2),
      np.array(labels, np.int64).reshape(-1, len(tasks)),
    )
  return truth, names


def _films(file: str | os.PathLike, member: str) -> Iterator[tuple[str, str, Any]]:
  """Yields films, their places in a file, and their entries."""
  content = read_json(file, max_bytes=_MAX_BYTES)
  films = content.get(member) if isinstance(content, dict) else None
  if not isinstance(films, dict):
    fields.refuse(f"{file}: {member}", films, "a JSON object of films")
  for film, entries in films.items():
    yield film, f"{file}, {film[:80]}", entries


def _members(
  where: str, entry: Any, checks: Mapping[str, fields.Check]
) -> dict[str, Any]:
  """Returns an object whose members are as checked."""
  if not isinstance(entry, dict):
    fields.refuse(where, entry, "a JSON object")
  fields.check_members(where, entry, checks, checks)
  return entry
