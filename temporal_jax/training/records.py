"""Records of a run: JSON lines, and what its observers get of them."""

import json
import pathlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax

from temporal_jax.storage import (
  append_json_line,
  read_json_lines,
  write_lines,
  write_text,
)
from temporal_jax.training.observers import Observers

CONFIG, METRICS, TIMING = "config.json", "metrics.jsonl", "timing.jsonl"
_FINAL = "final/"  # Begins the names of values of the final test.


class JsonLines:
  """A file with one JSON object per line, each with a "step"."""

  def __init__(self, file: str | pathlib.Path, last_step: int):
    """Opens the file and drops lines later than `last_step`.

    An incomplete last line, left by a killed run, is dropped too.

    Args:
      file: The file, which may be new.
      last_step: Step from which the run goes on.

    Raises:
      ValueError: If a row is damaged, naming file and line.
    """
    self._path = pathlib.Path(file)
    rows = [row for row in read_rows(self._path) if row["step"] <= last_step]
    write_lines(self._path, map(json.dumps, rows))

  def write(self, step: int, values: Mapping[str, float]) -> None:
    """Appends a row; it is on the disk when this returns."""
    append_json_line(self._path, {"step": step, **values})


def read_rows(file: str | pathlib.Path) -> list[dict]:
  """Returns the complete rows of a JSON lines file, none if it is missing.

  Raises:
    ValueError: If a row is damaged, naming file and line.
  """
  return read_json_lines(file, {"step": int})


class ConfigChange(NamedTuple):
  """A field of a config that has another value than at the last start.

  Attributes:
    name: The field's name, "data.num_frames".
    old: Its value in config.json; None if there was no such field.
    new: Its value now; None if there is no such field.
  """

  name: str
  old: Any
  new: Any


def config_changes(workdir: str | pathlib.Path, text: str) -> list[ConfigChange]:
  """Compares a config with the run's config.json.

  Args:
    workdir: Folder of the run.
    text: The config as JSON.

  Returns:
    All fields that differ, by name; [] for a new run.

  Raises:
    ValueError: If config.json holds no JSON object.
  """
  file = pathlib.Path(workdir) / CONFIG
  if not file.exists():
    return []
  try:
    old = flat_fields(json.loads(file.read_text(encoding="utf-8")))
  except (AttributeError, RecursionError, ValueError) as error:
    raise ValueError(f"{file} is damaged, it holds no JSON object ({error})") from None
  new = flat_fields(json.loads(text))
  return [
    ConfigChange(name, old.get(name), new.get(name))
    for name in sorted(old.keys() | new.keys())
    if old.get(name) != new.get(name)
  ]


def write_config(workdir: str | pathlib.Path, text: str) -> list[str]:
  """Writes config.json and lists its differences from an earlier one.

  Args:
    workdir: Folder of the run.
    text: The config as JSON.

  Returns:
    "config changed since the last start: field: old -> new." for every field
    that differs; [] for a new run. A file that is no JSON object is named.
  """
  try:
    notes = [
      f"config changed since the last start: {name}: {old} -> {new}."
      for name, old, new in config_changes(workdir, text)
    ]
  except ValueError as error:
    notes = [
      f"{error}: it is written anew, and cannot be compared with this start's config."
    ]
  write_text(pathlib.Path(workdir) / CONFIG, text + "\n")
  return notes


def flat_fields(tree: dict, prefix: str = "") -> dict[str, Any]:
  """Returns the leaves of nested dicts, such as a config, by dotted name."""
  leaves = {}
  for name, value in tree.items():
    if isinstance(value, dict):
      leaves |= flat_fields(value, f"{prefix}{name}.")
    else:
      leaves[prefix + name] = value
  return leaves


class Records:
  """All records of a run, under its workdir.

  metrics.jsonl holds the computed values: the same to the last bit however
  often it was interrupted. timing.jsonl holds how fast it was. Observers get
  both. Of several processes the first one writes.
  """

  def __init__(
    self,
    workdir: str | pathlib.Path,
    last_step: int,
    observers: Observers | None = None,
  ):
    """Opens the records to go on after `last_step`.

    Args:
      workdir: Folder of the run.
      last_step: Step from which the run goes on.
      observers: Observers of this start, which end with the records; None for
        none, as all processes except the first one have.
    """
    self._writes = jax.process_index() == 0
    self._observers = observers
    if not self._writes:
      return
    self._metrics_file = pathlib.Path(workdir) / METRICS
    self._metrics = JsonLines(self._metrics_file, last_step)
    self._timing = JsonLines(pathlib.Path(workdir) / TIMING, last_step)

  def __enter__(self) -> "Records":
    return self

  def __exit__(self, kind: type | None, *exception: object) -> None:
    if self._observers:
      self._observers.end(failed=kind is not None)

  def write(
    self, step: int, metrics: Mapping[str, float], timing: Mapping[str, float]
  ) -> None:
    """Writes the values of a logging step."""
    if not self._writes:
      return
    self._metrics.write(step, metrics)
    self._timing.write(step, timing)
    if self._observers:
      self._observers.row(step, {**metrics, **timing})

  def write_final(self, step: int, values: Mapping[str, float]) -> list[dict]:
    """Adds the values of the final test to metrics.jsonl, as "final/top1" etc.

    A final test of the same step that was written before is replaced.

    Args:
      step: Steps of the run.
      values: Values by their names.

    Returns:
      All rows of the file; [] in a process that writes nothing.
    """
    if not self._writes:
      return []
    rows = [
      row
      for row in read_rows(self._metrics_file)
      if row["step"] != step or not any(name.startswith(_FINAL) for name in row)
    ]
    final = {f"{_FINAL}{name}": value for name, value in values.items()}
    rows.append({"step": step, **final})
    write_text(self._metrics_file, "".join(json.dumps(row) + "\n" for row in rows))
    if self._observers:
      self._observers.row(step, final)
    return rows


def check_records(workdir: str | pathlib.Path) -> None:
  """Reads the rows of a run, and changes nothing.

  Raises:
    ValueError: If one is damaged, naming file and line.
  """
  for name in (METRICS, TIMING):
    read_rows(pathlib.Path(workdir) / name)
