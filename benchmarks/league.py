"""Every temporal operator of the library, trained side by side.

  python -m benchmarks.league --work runs/league --json FILE [--plots FOLDER]
  python -m benchmarks.league --work runs/quick --quick     # minutes

A narrow ResNet and a small ViT learn motions with each operator, by the
library's own command and config: in a task all have the same steps, clips and
augmentation, and start from the weights of a network without operator. A short
sweep on held-out training clips chooses a learning rate for each family of
operators. Each backbone has a main task, see `entries.GROUPS`: there published
operators are trained with all seeds and variants with the first; on the other
task only published operators, with the first seed. Killed, the same command
goes on; with further seeds, entries or tasks it adds them to the folder. --json
has what the command names, and is written after every round of trainings;
costs, which need a quiet machine, are measured last. On another machine
--resume and --starts go on with what a --json file and a folder of starts hold.
"""

import argparse
import itertools
import json
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from benchmarks.league_parts import claims, config, costs, plots, resume, run
from benchmarks.league_parts.entries import (
  ENTRIES,
  GROUPS,
  STARTS,
  group_of,
  main_task,
  swept,
)
from benchmarks.shared import machine, results
from temporal_jax import storage
from temporal_jax.lookup import lookup

SEEDS = (0, 1, 2)
# Learning rates by backbone; without a sweep the one before the last.
RATES: Mapping[str, Sequence[float]] = {
  "resnet": (4e-3, 1.2e-2),
  "big_little": (4e-3, 1.2e-2),
  "vit": (1.5e-3, 4e-3),
}
# Networks without operator learn much of this task from single frames: it gives
# the weights that others start from.
_START_TASK = "something_moves"
# From scratch, a difference shows after fewer steps than with the other task.
_QUICK_TASK = "camera_motion"
_SETTINGS = "settings.json"  # In the folder of a league.
QUICK = (
  "resnet_none",
  "tsm",
  "tam",
  "tada",
  "blvnet",
  "vit_none",
  "divided",
  "xvit_average",
)


class Settings(NamedTuple):
  """Settings that all trainings of a folder share.

  Attributes:
    steps: Updates of the weights of a training of `something_moves`, see
      `config.Task`.
    sweep_steps: The same of a training of the sweep; 0 without a sweep.
    from_start: Whether they start from the weights of `STARTS`, not from
      scratch.
  """

  steps: int
  sweep_steps: int
  from_start: bool


def check_folder(work: pathlib.Path, settings: Settings) -> None:
  """Refuses other settings than those of a folder.

  Raises:
    ValueError: If the folder has trainings with other settings.
  """
  file = work / _SETTINGS
  if file.exists():
    _check_settings(json.loads(file.read_text()), settings, work)


def note_settings(work: pathlib.Path, settings: Settings) -> None:
  """Notes the settings of a folder."""
  work.mkdir(parents=True, exist_ok=True)
  storage.write_text(work / _SETTINGS, json.dumps(settings._asdict()) + "\n")


def _check_settings(
  earlier: Mapping[str, Any], settings: Settings, place: pathlib.Path
) -> None:
  """Refuses settings that differ from those of the trainings in a place."""
  if earlier != settings._asdict():
    raise ValueError(
      f"{place} has trainings with {earlier}, not with {settings._asdict()}: give "
      "the same settings, or another --work or --resume."
    )


def phases(
  tasks: Sequence[str], entries: Sequence[str], seeds: Sequence[int]
) -> list[list[tuple[str, str, int]]]:
  """Returns task, entry and seed of all trainings in their order.

  First are published operators with the first seed, then variants, then the
  other seeds, so that a part is informative too.
  """
  published = [name for name in entries if ENTRIES[name].published]
  variants = [name for name in entries if not ENTRIES[name].published]
  first, *others = seeds
  own = {name: main_task(name, tasks) for name in entries}
  found = [
    [(own[name], name, first) for name in published],
    [(task, name, first) for name in published for task in tasks if task != own[name]],
    [(own[name], name, first) for name in variants],
    *([(own[name], name, seed) for name in published] for seed in others),
  ]
  return [phase for phase in found if phase]


def starts(entries: Sequence[str], settings: Settings) -> list[run.Job]:
  """Returns the trainings whose weights the entries start from, if any."""
  if not settings.from_start:
    return []
  return [
    run.Job(_START_TASK, start.entry, _usual_rate(backbone), 0, start.steps, run.START)
    for backbone in dict.fromkeys(ENTRIES[name].backbone for name in entries)
    for start in (STARTS[backbone],)
  ]


def sweep(entries: Sequence[str], settings: Settings) -> list[run.Job]:
  """Returns the trainings that choose the entries' rates, if any."""
  if not settings.sweep_steps:
    return []
  found = []
  for name in dict.fromkeys(swept(ENTRIES[name]) for name in entries):
    task = GROUPS[group_of(name)].task
    steps = settings.sweep_steps * config.TASKS[task].steps_factor
    found += [
      run.Job(task, name, lr, 0, steps, run.RATE, _start(name, settings))
      for lr in RATES[ENTRIES[name].backbone]
    ]
  return found


def _start(name: str, settings: Settings) -> str:
  """Returns the entry whose weights an entry starts from; "" without."""
  return STARTS[ENTRIES[name].backbone].entry if settings.from_start else ""


def chosen_rate(name: str, tried: Sequence[Mapping[str, Any]]) -> float:
  """Returns the learning rate of an entry: the best of its family in the sweep.

  Args:
    name: A key of `ENTRIES`.
    tried: Figures of the sweep; without any, the usual rate is returned.
  """
  entry = ENTRIES[name]
  own = [figures for figures in tried if figures["entry"] == swept(entry)]
  if not own:
    return _usual_rate(entry.backbone)
  return max(own, key=lambda figures: figures["top1"])["lr"]


def _usual_rate(backbone: str) -> float:
  return RATES[backbone][-2]


def report(
  work: pathlib.Path,
  settings: Settings,
  started: Sequence[Mapping[str, Any]],
  tried: Sequence[Mapping[str, Any]],
  trained: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
  """Returns the content of the JSON file.

  Args:
    work: Folder of the league.
    settings: Its settings.
    started: Figures of the networks that others start from.
    tried: Figures of the sweep.
    trained: Figures of the ranked trainings.
  """
  found, about = claims.rows(trained), {"processor": machine.processor()}
  for row in found:
    known = costs.read(work, row["entry"])
    about = known.get("machine", about)
    row |= {name: known[name] for name in costs.NAMES if known}
  return {
    "machine": about,
    "settings": settings._asdict(),
    "starts": [*started],
    "sweep": [*tried],
    "runs": [*trained],
    "rows": found,
    "claims": [*claims.judge_all(found)],
  }


def draw(folder: pathlib.Path, rows: Sequence[Mapping[str, Any]]) -> None:
  """Draws accuracy against both costs for every group and task of the rows."""
  costs_of_axes = {
    "gmacs": "multiply-adds of a clip (1e9)",
    "clips_per_second": "clips per second, inference",
  }
  for group, task in itertools.product(GROUPS, config.TASKS):
    own = [
      row for row in rows if row["task"] == task and group_of(row["entry"]) == group
    ]
    for cost, label in costs_of_axes.items() if own else ():
      file = folder / f"league_{group}_{task}_{cost}.png"
      plots.save(
        own, file, cost=cost, label=label, chance=1 / config.TASKS[task].num_classes
      )


def _known(table: Mapping[str, Any], kind: str) -> Callable[[str], str]:
  """Returns a parser of names, which refuses those that a table lacks."""

  def parse(text: str) -> str:
    try:
      lookup(table, text, kind)
    except ValueError as error:
      raise argparse.ArgumentTypeError(f"{error}") from None
    return text

  return parse


def _parser() -> argparse.ArgumentParser:
  parser = results.create_parser(__doc__)
  parser.add_argument(
    "--work", type=pathlib.Path, required=True, help="folder of all trainings"
  )
  parser.add_argument(
    "--quick",
    action="store_true",
    help="few operators, one seed and task, fewer steps, no sweep",
  )
  parser.add_argument(
    "--entries", nargs="+", type=_known(ENTRIES, "entry"), help="networks to train"
  )
  parser.add_argument(
    "--tasks", nargs="+", type=_known(config.TASKS, "task"), help="data sets"
  )
  parser.add_argument(
    "--seeds", nargs="+", type=int, help="seeds of published operators"
  )
  parser.add_argument(
    "--steps", type=results.count, help="updates of a training of something_moves"
  )
  parser.add_argument(
    "--at-once",
    type=results.count,
    default=1,
    help="trainings at a time, each on its share of the cores",
  )
  parser.add_argument(
    "--plots", type=pathlib.Path, help="folder for pictures, which must exist"
  )
  parser.add_argument(
    "--resume",
    type=pathlib.Path,
    help="JSON file of another folder's league, whose trainings count as done",
  )
  parser.add_argument(
    "--starts",
    type=pathlib.Path,
    help="folder of networks to start from: starts/ in another league's --work",
  )
  return parser


def main(arguments: list[str] | None = None) -> None:
  """Trains what is missing, prints it and writes all figures."""
  parser = _parser()
  options = parser.parse_args(arguments)
  for name in ("plots", "starts"):
    folder = getattr(options, name)
    if folder and not folder.is_dir():
      parser.error(f"--{name} {folder} must be a folder that exists.")
  steps = options.steps or (50 if options.quick else 400)
  settings = Settings(
    steps,
    sweep_steps=0 if options.quick else max(1, steps // 2),
    from_start=not options.quick,
  )
  usual = (
    ((_QUICK_TASK,), QUICK, SEEDS[:1])
    if options.quick
    else (config.TASKS, ENTRIES, SEEDS)
  )
  chosen = (options.tasks, options.entries, options.seeds)
  tasks, entries, seeds = (
    [*dict.fromkeys(own or other)] for own, other in zip(chosen, usual, strict=True)
  )
  work = options.work.expanduser().resolve()
  try:
    run.core_shares(options.at_once)
    earlier = resume.read(options.resume) if options.resume else resume.NOTHING
    if options.resume:
      _check_settings(earlier["settings"], settings, options.resume)
    check_folder(work, settings)
    resume.check_starts(work, earlier["starts"])
    if options.starts:
      resume.copy_starts(work, options.starts)
    note_settings(work, settings)
    resume.note_starts(work, earlier["starts"])
    resume.take_over(work, earlier)
  except (OSError, ValueError) as error:
    parser.error(f"{error}")
  table = results.ResultTable(
    ("entry", "task", "for", "seed", "rate", "top-1", "training")
  )

  def train(jobs: Sequence[run.Job]) -> list[dict[str, Any]]:
    found = []
    for own in run.run_all(work, jobs, options.at_once):
      shares = (f"{own['top1']:.1%}", f"{own['training_top1']:.1%}")
      numbers = (f"{own['seed']}", f"{own['lr']:g}")
      table.add(own["entry"], own["task"], own["purpose"], *numbers, *shares)
      found.append(own)
    return found

  started = train(starts(entries, settings))
  try:
    resume.note_starts(work, started)
  except ValueError as error:
    raise SystemExit(f"{error}") from None
  tried = train(sweep(entries, settings))
  trained: list[dict[str, Any]] = []
  for phase in phases(tasks, entries, seeds):
    trained += train(
      [
        run.Job(
          task,
          name,
          chosen_rate(name, tried),
          seed,
          settings.steps * config.TASKS[task].steps_factor,
          start=_start(name, settings),
        )
        for task, name, seed in phase
      ]
    )
    if options.json:
      results.write_json(options.json, report(work, settings, started, tried, trained))
  costs.measure_all(work, dict.fromkeys(own["entry"] for own in trained))
  found = report(work, settings, started, tried, trained)
  if options.json:
    results.write_json(options.json, found)
  if options.plots:
    draw(options.plots, found["rows"])


if __name__ == "__main__":
  main()
