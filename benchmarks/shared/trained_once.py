"""Folders of trainings that are done once, and go on after a stop."""

import json
import pathlib
from collections.abc import Mapping
from typing import Any

from benchmarks.shared import machine, provenance
from temporal_jax import storage

FIGURES = "figures.json"  # A training that has ended has it.
_JOB = "job.json"  # Settings, origin and processor of one that has begun.


def figures(place: pathlib.Path) -> dict[str, Any] | None:
  """Returns the figures of a training that has ended, else None."""
  return _read(place / FIGURES)


def begin(place: pathlib.Path, job: Mapping[str, Any]) -> bool:
  """Notes what is trained in a folder, before it starts.

  Args:
    place: Folder of the training.
    job: All that decides its figures, as JSON has it.

  Returns:
    Whether it was begun before.

  Raises:
    SystemExit: If the folder has another training, or one without this note.
  """
  begun = figures(place) or _read(place / _JOB)
  if begun is None and place.is_dir() and any(place.iterdir()):
    raise SystemExit(f"{place} has files of something else: remove it to train there.")
  if begun is not None:
    other = [
      f"{name} {begun.get(name)!r}, not {value!r}"
      for name, value in job.items()
      if begun.get(name) != value
    ]
    if other:
      raise SystemExit(
        f"{place} has a training with {', '.join(other)}: remove it to train anew."
      )
    return True
  place.mkdir(parents=True, exist_ok=True)
  now = provenance.describe()
  origin = {"date": now["date"], "commit": now["commit"]}
  _write(place / _JOB, {**job, **origin, "processor": machine.processor()})
  return False


def end(place: pathlib.Path, found: Mapping[str, Any]) -> dict[str, Any]:
  """Notes that a training has ended, and returns its whole figures.

  Args:
    place: Folder of the training.
    found: Its results, added to the note of `begin`.
  """
  whole = {**(_read(place / _JOB) or {}), **found}
  take_over(place, whole)
  return whole


def take_over(place: pathlib.Path, whole: Mapping[str, Any]) -> None:
  """Notes the whole figures of a training that has ended elsewhere."""
  place.mkdir(parents=True, exist_ok=True)
  _write(place / FIGURES, whole)


def _read(file: pathlib.Path) -> dict[str, Any] | None:
  return json.loads(file.read_text()) if file.exists() else None


def _write(file: pathlib.Path, content: Mapping[str, Any]) -> None:
  storage.write_text(file, json.dumps(content, indent=1) + "\n")
