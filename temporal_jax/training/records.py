"""What a run writes down: JSON lines and TensorBoard events."""

import contextlib
import json
import pathlib
import time
from collections.abc import Mapping

import jax
import tensorboardX
from tensorboardX import event_file_writer
from tensorboardX.proto import event_pb2

from temporal_jax.storage import (
  append_json_line,
  read_json_lines,
  write_lines,
  write_text,
)

METRICS, TIMING = "metrics.jsonl", "timing.jsonl"


class JsonLines:
  """A file with one JSON object a line, each with a "step"."""

  def __init__(self, file: str | pathlib.Path, last_step: int):
    """Opens the file and drops what is later than `last_step`.

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


class Events:
  """The numbers of a run as TensorBoard reads them.

  Written by the thread that calls, so that it gets the error of a full disk.
  """

  def __init__(self, folder: str | pathlib.Path, first_step: int):
    """Opens a new file.

    Args:
      folder: The run's folder of such files, which may be new.
      first_step: TensorBoard drops what earlier files have from here on.
    """
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    self._file = event_file_writer.EventsWriter(str(folder / "events"))
    begin = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
    self._write(step=first_step, session_log=begin)

  def write(self, step: int, values: Mapping[str, float]) -> None:
    """Adds the values of a step."""
    for name, value in values.items():
      summary = tensorboardX.summary.scalar(name, value)
      self._write(step=step, summary=summary)
    self._file.flush()

  def close(self) -> None:
    """Closes the file."""
    self._file.close()

  def _write(self, **content: object) -> None:
    event = event_pb2.Event(wall_time=time.time(), **content)
    self._file.write_event(event)


def read_rows(file: str | pathlib.Path) -> list[dict]:
  """Returns the complete rows of a JSON lines file, none if it is missing.

  Raises:
    ValueError: If a row is damaged, naming file and line.
  """
  return read_json_lines(file, {"step": int})


def write_config(workdir: str | pathlib.Path, text: str) -> list[str]:
  """Writes config.json and says what differs from the one that was there.

  Args:
    workdir: Folder of the run.
    text: The config as JSON.

  Returns:
    "config changed since the last start: field: old -> new." for every field
    that differs; [] for a new run. A file that is no JSON object is named.
  """
  file = pathlib.Path(workdir) / "config.json"
  notes = []
  if file.exists():
    try:
      old = _flat(json.loads(file.read_text(encoding="utf-8")))
      new = _flat(json.loads(text))
      notes = [
        f"config changed since the last start: {name}: {old.get(name)} -> "
        f"{new.get(name)}."
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
      ]
    except (AttributeError, RecursionError, ValueError) as error:
      notes = [
        f"{file} is damaged, it holds no JSON object ({error}): it is written "
        "anew, and cannot be compared with this start's config."
      ]
  write_text(file, text + "\n")
  return notes


def _flat(tree: dict, prefix: str = "") -> dict[str, object]:
  """Returns the leaves of nested dicts by dotted name."""
  leaves = {}
  for name, value in tree.items():
    if isinstance(value, dict):
      leaves |= _flat(value, f"{prefix}{name}.")
    else:
      leaves[prefix + name] = value
  return leaves


class Records:
  """All records of a run, under its workdir.

  metrics.jsonl holds what the run computed: the same to the last bit however
  often it was interrupted. timing.jsonl holds how fast it was. TensorBoard gets
  both. Of several processes the first one writes.
  """

  def __init__(self, workdir: str | pathlib.Path, last_step: int):
    """Opens the records to go on after `last_step`."""
    self._writes = jax.process_index() == 0
    if not self._writes:
      return
    workdir = pathlib.Path(workdir)
    self._metrics = JsonLines(workdir / METRICS, last_step)
    self._timing = JsonLines(workdir / TIMING, last_step)
    self._events = Events(workdir / "tensorboard", last_step + 1)

  def __enter__(self) -> "Records":
    return self

  def __exit__(self, kind: type | None, *exception: object) -> None:
    if not self._writes:
      return
    # An error of the run must not be hidden by one of closing after it.
    with contextlib.suppress(OSError if kind else ()):
      self._events.close()

  def write(
    self, step: int, metrics: Mapping[str, float], timing: Mapping[str, float]
  ) -> None:
    """Writes the values of a logging step."""
    if not self._writes:
      return
    self._metrics.write(step, metrics)
    self._timing.write(step, timing)
    self._events.write(step, {**metrics, **timing})


def check_records(workdir: str | pathlib.Path) -> None:
  """Reads the rows of a run, and changes nothing.

  Raises:
    ValueError: If one is damaged, naming file and line.
  """
  for name in (METRICS, TIMING):
    read_rows(pathlib.Path(workdir) / name)
