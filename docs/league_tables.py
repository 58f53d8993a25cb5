"""Rows of the league of temporal operators, for its page."""

import functools
import json
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from benchmarks.league_parts import claims, config
from benchmarks.league_parts.entries import ENTRIES, LEFT_OUT

_NOTHING = (("network",), ("Not measured yet.",))
_FILE = pathlib.Path(__file__).parents[1] / "benchmarks" / "results" / "league_cpu.json"
_BACKBONES = {"resnet": "ResNet", "big_little": "big-little ResNet", "vit": "ViT"}

Report = Mapping[str, Any]
Rows = Iterator[Sequence[str]]


def tables() -> Mapping[str, Callable[[], Rows]]:
  """Returns the page's tables by name; without a file some have no figures."""
  return {
    "league networks": networks,
    "league left out": left_out,
    "league trainings": functools.partial(_measured, trainings),
    "league starts": functools.partial(_measured, starts),
    "league rates": functools.partial(_measured, rates),
    "league claims": functools.partial(_measured, verdicts),
    **{
      f"league {task}": functools.partial(_measured, ranked, task)
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
      _BACKBONES[entry.backbone],
      f"`{entry.temporal}`",
      ", ".join(settings),
    )


def left_out() -> Rows:
  """Yields the operators that are not trained, and why."""
  yield "operator", "why"
  for name, why in LEFT_OUT.items():
    yield f"`{name}`", why


def trainings(report: Report) -> Rows:
  """Yields what was trained, when and where."""
  yield "task", "networks", "trainings", "steps", "dates", "commits", "processor"
  for task in dict.fromkeys(run["task"] for run in report["runs"]):
    own = [run for run in report["runs"] if run["task"] == task]
    dates = sorted({run["date"] for run in own})
    yield (
      task,
      str(len({run["entry"] for run in own})),
      str(len(own)),
      str(report["settings"]["steps"]),
      dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}",
      ", ".join(f"`{name}`" for name in sorted({run["commit"] for run in own})),
      report["machine"]["processor"],
    )


def ranked(report: Report, task: str) -> Rows:
  """Yields the networks of a task by their accuracy, with their costs."""
  own = [row for row in report["rows"] if row["task"] == task]
  if not own:
    yield from _NOTHING
    return
  yield "", "operator", "in", "top-1", "seeds", "k", "G", "clips/s", "MB"
  for rank, row in enumerate(own, 1):
    entry = ENTRIES[row["entry"]]
    yield (
      str(rank),
      f"**{entry.label}**" if entry.published else entry.label,
      _BACKBONES[entry.backbone],
      f"{row['top1']:.1%} ± {100 * row['spread']:.1f}",
      str(row["seeds"]),
      f"{row['params'] / 1e3:.0f}",
      f"{row['gmacs']:.3f}",
      f"{row['clips_per_second']:.0f}",
      f"{row['memory'] / 1e6:.1f}" if row["memory"] else "",
    )


def starts(report: Report) -> Rows:
  """Yields the networks whose weights the others start from."""
  yield "network", "in", "steps", "learning rate", "top-1"
  for row in report["starts"]:
    entry = ENTRIES[row["entry"]]
    yield (
      entry.label,
      _BACKBONES[entry.backbone],
      str(row["steps"]),
      f"{row['lr']:g}",
      f"{row['top1']:.1%}",
    )


def rates(report: Report) -> Rows:
  """Yields the sweep of learning rates: accuracy on held-out training clips."""
  yield "backbone", "family", "trained with", "rates", "top-1", "chosen"
  sweep = report["sweep"]
  for name in dict.fromkeys(row["entry"] for row in sweep):
    tried = [row for row in sweep if row["entry"] == name]
    entry = ENTRIES[name]
    best = max(tried, key=lambda row: row["top1"])
    yield (
      _BACKBONES[entry.backbone],
      entry.family,
      entry.label,
      ", ".join(f"{row['lr']:g}" for row in tried),
      ", ".join(f"{row['top1']:.1%}" for row in tried),
      f"{best['lr']:g}",
    )


def verdicts(report: Report) -> Rows:
  """Yields the papers' orderings, and if they hold for each task."""
  tasks = list(dict.fromkeys(row["task"] for row in report["claims"]))
  yield "ordering", "source", *tasks
  for claim in claims.CLAIMS:
    own = {row["task"]: row for row in report["claims"] if row["claim"] == claim.text}
    if own:
      yield claim.text, claim.source, *(_verdict(own.get(task)) for task in tasks)


def _verdict(row: Mapping[str, Any] | None) -> str:
  if row is None:
    return ""
  points = f"{100 * row['difference']:+.1f}, deviation {100 * row['deviation']:.1f}"
  return f"{row['verdict']} ({points})"


def _measured(make: Callable[..., Rows], *arguments: str) -> Rows:
  """Yields a table of the file's figures, one line without the file."""
  if not _FILE.exists():
    yield from _NOTHING
    return
  yield from make(json.loads(_FILE.read_text()), *arguments)
