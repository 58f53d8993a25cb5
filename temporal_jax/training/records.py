"""What a run writes down: JSON lines and TensorBoard events."""

import json
import os
import pathlib
from collections.abc import Mapping

import jax
import tensorboardX

from temporal_jax.storage import write_text


class JsonLines:
  """A file with one JSON object a line, each with a "step"."""

  def __init__(self, file: str | pathlib.Path, last_step: int):
    """Opens the file and drops what is later than `last_step`.

    An incomplete last line, left by a killed run, is dropped too.

    Args:
      file: The file, which may be new.
      last_step: Step from which the run goes on.
    """
    self._path = pathlib.Path(file)
    rows = [row for row in read_rows(self._path) if row["step"] <= last_step]
    kept = "".join(json.dumps(row) + "\n" for row in rows)
    write_text(self._path, kept)
    self._file = self._path.open("a")

  def write(self, step: int, values: Mapping[str, float]) -> None:
    """Appends a row; it is on the disk when this returns."""
    self._file.write(json.dumps({"step": step, **values}) + "\n")
    self._file.flush()
    os.fsync(self._file.fileno())

  def close(self) -> None:
    """Closes the file."""
    self._file.close()


def read_rows(file: str | pathlib.Path) -> list[dict]:
  """Returns the complete rows of a JSON lines file, none if it is missing."""
  file = pathlib.Path(file)
  if not file.exists():
    return []
  complete = [
    line
    for line in file.read_text().splitlines(keepends=True)
    if line.endswith("}\n")
  ]
  return [json.loads(line) for line in complete]


def write_config(workdir: str | pathlib.Path, text: str) -> list[str]:
  """Writes config.json and tells what differs from the one that was there.

  Args:
    workdir: Folder of the run.
    text: The config as JSON.

  Returns:
    "field: old -> new" for every field that differs; [] for a new run.
  """
  file = pathlib.Path(workdir) / "config.json"
  old = _flat(json.loads(file.read_text())) if file.exists() else None
  write_text(file, text + "\n")
  if old is None:
    return []
  new = _flat(json.loads(text))
  return [
    f"{name}: {old.get(name)} -> {new.get(name)}"
    for name in sorted(old.keys() | new.keys())
    if old.get(name) != new.get(name)
  ]


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
    self._metrics = JsonLines(workdir / "metrics.jsonl", last_step)
    self._timing = JsonLines(workdir / "timing.jsonl", last_step)
    self._events = tensorboardX.SummaryWriter(
      str(workdir / "tensorboard"), purge_step=last_step + 1
    )

  def __enter__(self) -> "Records":
    return self

  def __exit__(self, *exception: object) -> None:
    if not self._writes:
      return
    self._metrics.close()
    self._timing.close()
    self._events.close()

  def write(
    self, step: int, metrics: Mapping[str, float], timing: Mapping[str, float]
  ) -> None:
    """Writes the values of a logging step."""
    if not self._writes:
      return
    self._metrics.write(step, metrics)
    self._timing.write(step, timing)
    for name, value in {**metrics, **timing}.items():
      self._events.add_scalar(name, value, step)
    self._events.flush()
