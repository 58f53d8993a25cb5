"""Rows of the league of temporal operators, for its page."""

import functools
import itertools
import json
import math
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from benchmarks.league_parts import claims, config, plan
from benchmarks.league_parts.entries import (
  BACKBONE_NAMES,
  ENTRIES,
  GROUPS,
  LEFT_OUT,
  STARTS,
  group_of,
)

_NOTHING = (("network",), ("Not measured yet.",))
_FOLDER = pathlib.Path(__file__).parents[1] / "benchmarks" / "results"
_FILES = "league_*_cpu.json"  # Each of a part of the networks.
_COSTS = ("seeds", "k", "G", "clips/s", "MB")
_CHOICE = ("tsm", "tam", "tada_v2", "atm", "xvit", "ila")  # Entries in README.

Reports = Sequence[Mapping[str, Any]]
Rows = Iterator[Sequence[str]]


def tables() -> Mapping[str, Callable[[], Rows]]:
  """Returns the page's tables by name; without files some have no figures."""
  return {
    "league networks": networks,
    "league left out": left_out,
    "league trainings": functools.partial(_measured, trainings),
    "league starts": functools.partial(_measured, starts),
    "league rates": functools.partial(_measured, rates),
    "league claims": functools.partial(_measured, verdicts),
    "league causes": functools.partial(_measured, causes),
    **{
      f"league {group} {task}": functools.partial(_measured, ranked, group, task)
      for group in GROUPS
      for task in config.TASKS
    },
  }


def networks() -> Rows:
  """Yields what is trained."""
  yield "network", "operator", "in", "`temporal`", "further changes"
  for name, entry in ENTRIES.items():
    settings = (f"`{field}={value}`" for field, value in entry.settings.items())
    yield (
      f"`{name}`",
      f"**{entry.label}**" if entry.published else entry.label,
      BACKBONE_NAMES[entry.backbone],
      f"`{entry.temporal}`",
      ", ".join(settings),
    )


def left_out() -> Rows:
  """Yields the operators that are not trained, and why."""
  yield "operator", "why"
  for name, why in LEFT_OUT.items():
    yield f"`{name}`", why


def trainings(reports: Reports) -> Rows:
  """Yields what was trained, when and where."""
  yield "networks", "task", "trainings", "steps", "dates", "commits", "processor"
  for report in reports:
    runs = report["runs"]
    names = dict.fromkeys(
      BACKBONE_NAMES[ENTRIES[run["entry"]].backbone] for run in runs
    )
    for task in dict.fromkeys(run["task"] for run in runs):
      own = [run for run in runs if run["task"] == task]
      dates = sorted({run["date"] for run in own})
      yield (
        f"{len({run['entry'] for run in own})} of {', '.join(names)}",
        task,
        str(len(own)),
        ", ".join(map(str, sorted({run["steps"] for run in own}))),
        dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}",
        ", ".join(f"`{name}`" for name in sorted({run["commit"] for run in own})),
        ", ".join(sorted({_processor(run, report) for run in own})),
      )


def _processor(run: Mapping[str, Any], report: Mapping[str, Any]) -> str:
  """Returns a training's processor, for older ones that of the costs."""
  return run.get("processor") or report["machine"]["processor"]


def ranked(reports: Reports, group: str, task: str) -> Rows:
  """Yields a group's networks by their accuracy in a task, with their costs."""
  rows = _all("rows", reports)
  own = [row for row in rows if row["task"] == task and group_of(row["entry"]) == group]
  if not own:
    yield from _NOTHING
    return
  yield "", "operator", "in", "top-1", "pair", "order", *_COSTS
  for rank, row in enumerate(own, 1):
    entry = ENTRIES[row["entry"]]
    yield (
      str(rank),
      f"**{entry.label}**" if entry.published else entry.label,
      BACKBONE_NAMES[entry.backbone],
      f"{row['top1']:.1%} ± {100 * row['spread']:.1f}",
      f"{row['pair']:.1%}",
      f"{row['order']:.1%}",
      str(row["seeds"]),
      *_costs(row),
    )


def _costs(row: Mapping[str, Any]) -> tuple[str, ...]:
  """Returns the cells of a row's costs, empty where they are not measured."""
  if "params" not in row:
    return ("",) * 4
  return (
    f"{row['params'] / 1e3:.0f}",
    f"{row['gmacs']:.3f}",
    f"{row['clips_per_second']:.0f}",
    f"{row['memory'] / 1e6:.1f}" if row["memory"] else "",
  )


def choice() -> Rows:
  """Yields an operator of each paper next to its backbone, for README."""
  rows = {(row["task"], row["entry"]): row for row in _all("rows", _reports())}
  yield "operator", "in", *(f"`{task}`" for task in config.TASKS), "speed"
  for name in _CHOICE:
    entry = ENTRIES[name]
    without = STARTS[entry.backbone].entry  # The backbone without operator.
    pairs = [
      (rows.get((task, name)), rows.get((task, without))) for task in config.TASKS
    ]
    if None in itertools.chain(*pairs):
      continue
    speeds = [row.get("clips_per_second", math.nan) for row in pairs[0]]
    yield (
      entry.label,
      BACKBONE_NAMES[entry.backbone],
      *(f"{row['top1']:.1%} ({bare['top1']:.1%})" for row, bare in pairs),
      f"{speeds[0] / speeds[1]:.2f}",
    )


def starts(reports: Reports) -> Rows:
  """Yields the networks whose weights the others start from."""
  yield "network", "in", "steps", "learning rate", "top-1"
  for row in _all("starts", reports):
    entry = ENTRIES[row["entry"]]
    yield (
      entry.label,
      BACKBONE_NAMES[entry.backbone],
      str(row["steps"]),
      f"{row['lr']:g}",
      f"{row['top1']:.1%}",
    )


def rates(reports: Reports) -> Rows:
  """Yields the sweep of learning rates: accuracy on held-out training clips."""
  yield "backbone", "family", "trained with", "rates", "top-1", "chosen"
  sweep = _all("sweep", reports)
  for name in dict.fromkeys(row["entry"] for row in sweep):
    tried = [row for row in sweep if row["entry"] == name]
    entry = ENTRIES[name]
    yield (
      BACKBONE_NAMES[entry.backbone],
      entry.family,
      entry.label,
      ", ".join(f"{row['lr']:g}" for row in tried),
      ", ".join(f"{row['top1']:.1%}" for row in tried),
      f"{plan.chosen_rate(name, tried):g}",
    )


def verdicts(reports: Reports) -> Rows:
  """Yields the papers' orderings, and if they hold for each task."""
  judged = _all("claims", reports)
  tasks = list(dict.fromkeys(row["task"] for row in judged))
  yield "ordering", "source", *tasks
  for claim in claims.CLAIMS:
    own = {row["task"]: row for row in judged if row["claim"] == claim.text}
    if own:
      yield claim.text, claim.source, *(_verdict(own.get(task)) for task in tasks)


def _verdict(row: Mapping[str, Any] | None) -> str:
  if row is None:
    return ""
  points = f"{100 * row['difference']:+.1f}, deviation {100 * row['deviation']:.1f}"
  return f"{row['verdict']} ({points})"


def causes(reports: Reports) -> Rows:
  """Yields longer and other trainings, each next to the ranked one."""
  found = [row for report in reports for row in report.get("causes", ())]
  if not found:
    yield from _NOTHING
    return
  usual = {
    (row["task"], row["entry"]): row for row in _all("runs", reports) if not row["seed"]
  }
  yield "operator", "in", "task", "rate", "steps", "top-1", "pair", "ranked, top-1"
  for row in found:
    entry, ranked_row = ENTRIES[row["entry"]], usual.get((row["task"], row["entry"]))
    yield (
      entry.label,
      BACKBONE_NAMES[entry.backbone],
      f"`{row['task']}`",
      f"{row['lr']:g}",
      str(row["steps"]),
      f"{row['top1']:.1%}",
      f"{row['pair_top1']:.1%}",
      f"{ranked_row['top1']:.1%} after {ranked_row['steps']}" if ranked_row else "",
    )


def _all(key: str, reports: Reports) -> list[Mapping[str, Any]]:
  """Returns the rows under a key of all reports."""
  return [row for report in reports for row in report[key]]


def _measured(make: Callable[..., Rows], *arguments: str) -> Rows:
  """Yields a table of the files' figures, one line without a file."""
  reports = _reports()
  yield from make(reports, *arguments) if reports else _NOTHING


def _reports() -> Reports:
  """Returns what the files have, none where nothing is measured yet."""
  return [json.loads(file.read_text()) for file in sorted(_FOLDER.glob(_FILES))]
