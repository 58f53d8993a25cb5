"""Reads the records of runs, to compare them; a damaged one is named."""

import dataclasses
import itertools
import math
import os
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from temporal_jax.inference.runtime.saved_model import (
  described_network,
  expected_shapes,
  read_description,
)
from temporal_jax.models.inspect import count
from temporal_jax.saved_networks.description import DESCRIPTION, described_task
from temporal_jax.training.patience import Patience
from temporal_jax.training.records import (
  CONFIG,
  METRICS,
  TIMING,
  flat_fields,
  read_rows,
)
from temporal_jax.untrusted.json_text import read_json

_REPORT = "report.json"
_MAX_BYTES = 2**28  # A report has L x L counts of confused classes.
_MEASURES = ("top1", "mAP")  # The first of them that a run has is compared.
_PROBE = "probe"  # Has no steps.
_CLASSIFIERS = ("classification", _PROBE)


@dataclasses.dataclass(frozen=True)
class Figures:
  """Figures of a run; None of what is not known.

  Attributes:
    steps: Steps that were logged.
    num_steps: Length of the run by its config.
    measure: Name of the test's value, "top1" or "mAP".
    final: That value in the final test, of all views, in [0, 1].
    interval: Lower and upper end of its 95 % confidence interval.
    clips: Clips of that test.
    best: The best value of the tests during training, of single views.
    best_step: Steps before that test.
    accuracy: Accuracy over training clips at the last logging step.
    loss: Training loss at the last logging step.
    seconds: Time of all training steps, without tests and checkpoints.
    parameters: Trained values of the network.
    multiply_adds: Multiply-adds of one clip.
  """

  steps: int | None = None
  num_steps: int | None = None
  measure: str | None = None
  final: float | None = None
  interval: tuple[float, float] | None = None
  clips: int | None = None
  best: float | None = None
  best_step: int | None = None
  accuracy: float | None = None
  loss: float | None = None
  seconds: float | None = None
  parameters: int | None = None
  multiply_adds: int | None = None


@dataclasses.dataclass(frozen=True)
class RunRecords:
  """Records of a run.

  Attributes:
    name: Its name among the runs that are compared.
    kind: Its task, "classification" for one; "" if it is not known.
    rows: Rows of metrics.jsonl, numbers only.
    config: Fields of its config by dotted name; None if they are not known.
    test_list: Digest of the list of its test videos; "" if it is not known.
    figures: Its figures.
    stopped: Reason for an end after stop_after tests, in a clause; "" for none.
    problems: A sentence on each record that is missing or damaged.
  """

  name: str
  kind: str
  rows: Sequence[Mapping[str, float]]
  config: Mapping[str, Any] | None
  test_list: str
  figures: Figures
  stopped: str
  problems: tuple[str, ...]


def read_runs(workdirs: Sequence[str | os.PathLike]) -> list[RunRecords]:
  """Reads the records of runs.

  Args:
    workdirs: Their folders. A run is called by the last parts of its path that
      differ from the others, as many as make the names distinct.

  Raises:
    FileNotFoundError: If one is no folder.
    ValueError: If one is given twice.
  """
  folders = [pathlib.Path(folder).expanduser().resolve() for folder in workdirs]
  for given, folder in zip(workdirs, folders, strict=True):
    if not folder.is_dir():
      raise FileNotFoundError(f"{given} is no folder of a run.")
    if folders.count(folder) > 1:
      raise ValueError(f"{given} is given twice: runs to compare must differ.")
  names = _names(folders)
  return [_read(*pair) for pair in zip(folders, names, strict=True)]


def config_differences(runs: Sequence[RunRecords]) -> dict[str, list[Any]]:
  """Returns the fields of configs that differ, with the value of each run.

  A field that a run's config does not have is None; runs without a config have
  None in every field. Fields that only other kinds of runs have do not differ.
  """
  known = [run for run in runs if run.config is not None]
  fields = dict.fromkeys(field for run in known for field in run.config)
  return {
    field: [None if run.config is None else run.config.get(field) for run in runs]
    for field in fields
    if _differs(field, known)
  }


def _differs(field: str, runs: Sequence[RunRecords]) -> bool:
  """Returns whether runs whose kinds have a field have several values of it."""
  kinds = {run.kind for run in runs if field in run.config}
  values = [run.config.get(field) for run in runs if run.kind in kinds]
  return any(value != values[0] for value in values)


def describe_mismatches(runs: Sequence[RunRecords]) -> list[str]:
  """Returns sentences on the reasons why runs cannot be compared one to one."""
  notes = []
  kinds = _groups(runs, lambda run: run.kind)
  if len(kinds) > 1:
    words = "; ".join(f"{kind}: {', '.join(names)}" for kind, names in kinds.items())
    notes.append(f"the runs are of different kinds, {words}.")
  lists = list(_groups(runs, lambda run: run.test_list).values())
  if len(lists) > 1:
    words = "; ".join(", ".join(names) for names in lists)
    notes.append(f"the lists of test videos differ between {words}.")
  for run in runs:
    done, wanted = run.figures.steps, run.figures.num_steps
    if None not in (done, wanted) and done < wanted:
      end = f": {run.stopped}" if run.stopped else ""
      notes.append(f"{run.name} has done {done} of {wanted} steps{end}.")
  return notes


def _groups(
  runs: Sequence[RunRecords], key: Callable[[RunRecords], str]
) -> dict[str, list[str]]:
  """Returns the names of the runs by a property, where it is known."""
  groups: dict[str, list[str]] = {}
  for run in runs:
    if key(run):
      groups.setdefault(key(run), []).append(run.name)
  return groups


def _names(folders: Sequence[pathlib.Path]) -> list[str]:
  """Returns the shortest distinct parts of different paths, near their ends."""
  ends = [folder.parts[::-1] for folder in folders]
  begin = 0  # Parts at the end that all paths share: seed_0.
  if len(ends) > 1:
    shared = zip(*ends, strict=False)
    begin = sum(1 for _ in itertools.takewhile(lambda at: len({*at}) == 1, shared))
  for stop in range(begin + 1, max(map(len, ends)) + 1):
    names = [str(pathlib.Path(*end[begin:stop][::-1])) for end in ends]
    if len({*names}) == len(names):
      return names
  return [str(folder) for folder in folders]


class _Problems(list[str]):
  """Sentences on records that could not be read."""

  def read(self, function: Callable[[], Any], other: Any) -> Any:
    """Returns the result of a function, or another value if it fails."""
    try:
      return function()
    except (OSError, ValueError) as error:
      self.append(f"{str(error).removesuffix('.')}.")
      return other


def _read(folder: pathlib.Path, name: str) -> RunRecords:
  """Reads what a folder has of a run."""
  problems = _Problems()
  config = problems.read(lambda: _json(folder / CONFIG), None)
  flat = None if config is None else flat_fields(config)
  rows = problems.read(lambda: _numbers(folder / METRICS), None)
  timing = problems.read(lambda: _numbers(folder / TIMING), [])
  task = (flat or {}).get("task")
  kind = task if isinstance(task, str) else ""
  report = {}
  if (folder / _REPORT).exists():
    report = problems.read(lambda: _report(folder / _REPORT), {})
  if rows == [] and not report:
    problems.append(f"{folder} has neither {METRICS} with values nor {_REPORT}.")
  elif rows == [] and kind not in ("", _PROBE):
    problems.append(f"{folder} has no {METRICS} with values, only {_REPORT}.")
  rows = rows or []
  figures = _values(rows, report)
  steps = (flat or {}).get("num_steps")
  if kind != _PROBE and type(steps) is int:
    figures["num_steps"] = steps
  figures["seconds"] = _seconds(timing)
  description = None
  if not kind and (folder / DESCRIPTION).exists():
    kind = problems.read(lambda: described_task(folder), "")
  if kind in _CLASSIFIERS:
    description = problems.read(lambda: read_description(folder), None)
  if description is not None:
    figures |= problems.read(lambda: _cost(folder, description), {})
  tested = ((description or {}).get("lists") or {}).get("test", {}).get("sha256")
  return RunRecords(
    name,
    kind,
    rows,
    flat,
    tested or "",
    Figures(**figures),
    _stopped(rows, flat or {}),
    tuple(problems),
  )


def _json(file: pathlib.Path) -> dict[str, Any]:
  """Returns the object of a JSON file."""
  if not file.exists():
    raise FileNotFoundError(f"{file} is missing.")
  found = read_json(file, max_bytes=_MAX_BYTES)
  if not isinstance(found, dict):
    raise ValueError(f"{file} is damaged, it holds no JSON object.")
  return found


def _report(file: pathlib.Path) -> dict[str, Any]:
  """Returns a report, whose values that are compared are shares."""
  report = _json(file)
  for name in _MEASURES:
    value = report.get(name, 0)
    if type(value) not in (int, float) or not 0 <= value <= 1:
      raise ValueError(f"{file} is damaged: {name} is {value!r}, and not in [0, 1].")
  return report


def _numbers(file: pathlib.Path) -> list[dict[str, float]]:
  """Returns the rows of a JSON lines file, all of whose values are numbers."""
  rows = read_rows(file)
  for row in rows:
    for name, value in row.items():
      if type(value) not in (int, float) or not math.isfinite(value):
        raise ValueError(
          f"{file} is damaged: {name} of step {row['step']} is {value!r}, no number."
        )
  return rows


def _values(
  rows: Sequence[Mapping[str, float]], report: Mapping[str, Any]
) -> dict[str, Any]:
  """Returns the figures of the computed values."""
  known = {name for row in rows for name in row}
  found: dict[str, Any] = {"steps": rows[-1]["step"] if rows else None}
  for name in ("accuracy", "loss"):
    found[name] = next((row[name] for row in reversed(rows) if name in row), None)
  tested = {name.partition("/")[2] for name in known if "/" in name}
  measure = next((name for name in _MEASURES if name in tested | {*report}), None)
  if measure is None:
    return found
  found["measure"] = measure
  final = [row[f"final/{measure}"] for row in rows if f"final/{measure}" in row]
  found["final"] = final[-1] if final else report.get(measure)
  found |= _certainty(report, measure)
  tests = [row for row in rows if f"test/{measure}" in row]
  if tests:
    best = tests[int(np.argmax([row[f"test/{measure}"] for row in tests]))]
    found |= {"best": best[f"test/{measure}"], "best_step": best["step"]}
  return found


def _stopped(rows: Sequence[Mapping[str, float]], config: Mapping[str, Any]) -> str:
  """Returns the reason if a run ended because its tests became no better."""
  measure, stop_after = config.get("keep_best"), config.get("stop_after")
  if not isinstance(measure, str) or type(stop_after) is not int:
    return ""
  patience, name = Patience(measure, stop_after), f"test/{measure}"
  for row in rows:
    if name in row:
      patience.take(row["step"], {measure: row[name]})
  if not patience.is_over:
    return ""
  return f"it was stopped by stop_after {stop_after}, {patience.describe()}"


def _certainty(report: Mapping[str, Any], measure: str) -> dict[str, Any]:
  """Returns interval and clips of the final test, as far as they are known."""
  found: dict[str, Any] = {}
  intervals = report.get("intervals")
  values = intervals.get("values") if isinstance(intervals, dict) else None
  ends = values.get(measure) if isinstance(values, dict) else None
  if isinstance(ends, list) and [type(end) for end in ends] == [float, float]:
    found["interval"] = (ends[0], ends[1])
  if type(report.get("clips_scored")) is int:
    found["clips"] = report["clips_scored"]
  return found


def _seconds(timing: Sequence[Mapping[str, float]]) -> float | None:
  """Returns the time of all steps from the rows of timing.jsonl."""
  before = [0, *(row["step"] for row in timing)]
  spans = [
    (row["step"] - last) * row["seconds_per_step"]
    for row, last in zip(timing, before, strict=False)
    if "seconds_per_step" in row
  ]
  return sum(spans) if spans else None


def _cost(folder: pathlib.Path, description: Mapping[str, Any]) -> dict[str, int]:
  """Counts parameters and multiply-adds of a network; nothing is computed."""
  where = str(folder / DESCRIPTION)
  network = described_network(where, description)
  shapes = expected_shapes(where, network, description)
  found = {"parameters": count.parameters(shapes)}
  if not network.reads_text:
    clip = jax.ShapeDtypeStruct((1, *description["clip_shape"]), np.float32)
    found["multiply_adds"] = count.multiply_adds(network.apply, shapes, clip)
  return found
