"""Compare runs: their figures, the differences of their configs, their curves.

  temporal-jax runs runs/tam runs/tsn --out curves.png

A RUN is the folder of a run, finished or not. "final" is the final test of all
views, "best" the best test during training, of single views, and "time" the
time of the training steps, in hours:minutes:seconds. M: millions of parameters;
G: 1e9 multiply-adds per clip. A second table has the confidence intervals of
the final tests. Exit code 1 if a record is missing or damaged; it is named, and
the others are compared.
"""

import argparse
import dataclasses
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from temporal_jax.commands.shared import output
from temporal_jax.commands.shared.arguments import path
from temporal_jax.storage import check_outputs

if TYPE_CHECKING:
  import rich.table

  from temporal_jax.inference import RunRecords

COMPUTES = False
_UNKNOWN = "-"
_SIDE_BY_SIDE = 3  # Runs, at most, that have a column each.


def add_arguments(parser: argparse.ArgumentParser) -> None:
  """Adds the arguments of `runs`."""
  parser.add_argument("runs", nargs="+", metavar="RUN", help="folder of a run")
  parser.add_argument(
    "--out",
    type=path,
    metavar="OUT.png",
    help="picture of accuracy and loss over the steps, one colour per run",
  )
  parser.add_argument(
    "--json", type=path, metavar="OUT.json", help="the same as numbers"
  )


def run(options: argparse.Namespace) -> int:
  """Returns 0 if all records were read, 1 if some were not."""
  from temporal_jax import evaluation, inference
  from temporal_jax.display import tables

  check_outputs({"--out": options.out, "--json": options.json})
  runs = inference.read_runs(options.runs)
  problems = [f"{run.name}: {words}" for run in runs for words in run.problems]
  notes = inference.describe_mismatches(runs)
  for words in problems:
    output.say(f"bad: {words}", file=sys.stderr)
  for words in notes:
    output.say(f"note: {words}", file=sys.stderr)
  differences = inference.config_differences(runs)
  width = tables.output_width()
  for line in tables.render(_figures(runs), width=width):
    output.say(line)
  if any(run.figures.interval for run in runs):
    output.say("")
    for line in tables.render(_intervals(runs), width=width):
      output.say(line)
  if differences:
    output.say("")
    names = [run.name for run in runs]
    for line in tables.render(_differences(names, differences), width=width):
      output.say(line)
  if options.out:
    rows_of = {run.name: run.rows for run in runs}
    measures = {run.name: run.figures.measure for run in runs if run.figures.measure}
    finals = {run.name: run.figures.final for run in runs if run.figures.final}
    evaluation.save_run_curves(rows_of, options.out, measures=measures, finals=finals)
    output.say(f"{options.out}")
  output.write_json(options.json, _record(runs, differences, notes))
  return 1 if problems else 0


def _figures(runs: Sequence["RunRecords"]) -> "rich.table.Table":
  """Returns the table of the runs' figures."""
  from temporal_jax.display import tables

  head = ("run", "steps", "final", "best (step)", "train", "loss", "time", "M", "G")
  rows = [_cells(run) for run in runs]
  return tables.columns(rows, head=head, right=range(1, len(head)), fold=(0,))


def _intervals(runs: Sequence["RunRecords"]) -> "rich.table.Table":
  """Returns the table of the final tests that have an interval."""
  from temporal_jax.display import tables

  rows = []
  for run in runs:
    found = run.figures
    if found.interval is not None:
      low, high = found.interval
      clips = _UNKNOWN if found.clips is None else str(found.clips)
      final = _percent(found.final, found.measure)
      rows.append((run.name, final, f"{low:.1%} to {high:.1%}", clips))
  head = ("final test", "", "95% confidence interval", "clips")
  return tables.columns(rows, head=head, right=(1, 3), fold=(0,))


def _differences(
  names: Sequence[str], differences: Mapping[str, Sequence[Any]]
) -> "rich.table.Table":
  """Returns the table of the fields that differ.

  Few runs are side by side; of many each value has a line, with its runs.
  """
  from temporal_jax.display import tables

  if len(names) <= _SIDE_BY_SIDE:
    rows = [(field, *map(_value, values)) for field, values in differences.items()]
    fold = range(len(names) + 1)
    return tables.columns(rows, head=("config", *names), fold=fold)
  rows = []
  for field, values in differences.items():
    runs_of: dict[str, list[str]] = {}
    for name, value in zip(names, values, strict=True):
      runs_of.setdefault(_value(value), []).append(name)
    for number, (value, some) in enumerate(runs_of.items()):
      rows.append(("" if number else field, value, ", ".join(some)))
  return tables.columns(rows, head=("config", "value", "runs"), fold=(0, 1, 2))


def _cells(run: "RunRecords") -> tuple[str, ...]:
  """Returns the cells of a run in the table of figures."""
  found = run.figures
  best = _percent(found.best, found.measure)
  if found.best is not None:
    best += f" ({found.best_step})"
  return (
    run.name,
    _UNKNOWN if found.steps is None else str(found.steps),
    _percent(found.final, found.measure),
    best,
    _percent(found.accuracy),
    _UNKNOWN if found.loss is None else f"{found.loss:.3g}",
    _UNKNOWN if found.seconds is None else _duration(found.seconds),
    _millions(found.parameters, 1e6),
    _millions(found.multiply_adds, 1e9),
  )


def _percent(value: float | None, measure: str | None = "top1") -> str:
  """Returns a value in percent, with its name if it is no accuracy."""
  if value is None:
    return _UNKNOWN
  name = "" if measure == "top1" else f"{measure} "
  return f"{name}{value:.1%}"


def _millions(value: int | None, unit: float) -> str:
  return _UNKNOWN if value is None else f"{value / unit:.3g}"


def _duration(seconds: float) -> str:
  """Returns a time as hours:minutes:seconds."""
  whole = round(seconds)
  return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"


def _value(value: Any) -> str:
  """Returns the value of a config's field in a table."""
  if value is None:
    return _UNKNOWN
  if isinstance(value, float):
    return f"{value:.6g}"
  return f"{value}" or "''"


def _record(
  runs: Sequence["RunRecords"],
  differences: Mapping[str, Sequence[Any]],
  notes: Sequence[str],
) -> dict[str, Any]:
  """Returns the comparison for JSON."""
  names = [run.name for run in runs]
  return {
    "runs": [
      {
        "name": run.name,
        "kind": run.kind,
        **dataclasses.asdict(run.figures),
        "problems": list(run.problems),
      }
      for run in runs
    ],
    "config": {
      field: dict(zip(names, values, strict=True))
      for field, values in differences.items()
    },
    "notes": list(notes),
  }
