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
goes on; with further seeds, entries or tasks it adds them to the folder.
--causes trains those of `plan.CAUSES` too, for longer or with other rates,
where an ordering of the papers did not hold. --json has what the command names,
and is written after every round of trainings; costs, which need a quiet
machine, are measured last. On another machine --resume and --starts go on with
what a --json file and a folder of starts hold.
"""

import argparse
import itertools
import json
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarks.league_parts import claims, config, costs, plan, plots, resume, run
from benchmarks.league_parts.entries import ENTRIES, GROUPS, group_of
from benchmarks.shared import machine, results
from temporal_jax import storage
from temporal_jax.lookup import lookup

SEEDS = (0, 1, 2)
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


def check_folder(work: pathlib.Path, settings: plan.Settings) -> None:
  """Refuses other settings than those of a folder.

  Raises:
    ValueError: If the folder has trainings with other settings.
  """
  file = work / _SETTINGS
  if file.exists():
    _check_settings(json.loads(file.read_text()), settings, work)


def note_settings(work: pathlib.Path, settings: plan.Settings) -> None:
  """Notes the settings of a folder."""
  work.mkdir(parents=True, exist_ok=True)
  storage.write_text(work / _SETTINGS, json.dumps(settings._asdict()) + "\n")


def _check_settings(
  earlier: Mapping[str, Any], settings: plan.Settings, place: pathlib.Path
) -> None:
  """Refuses settings that differ from those of the trainings in a place."""
  if earlier != settings._asdict():
    raise ValueError(
      f"{place} has trainings with {earlier}, not with {settings._asdict()}: give "
      "the same settings, or another --work or --resume."
    )


def report(
  work: pathlib.Path,
  settings: plan.Settings,
  started: Sequence[Mapping[str, Any]],
  tried: Sequence[Mapping[str, Any]],
  trained: Sequence[Mapping[str, Any]],
  sought: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
  """Returns the content of the JSON file.

  Args:
    work: Folder of the league.
    settings: Its settings.
    started: Figures of the networks that others start from.
    tried: Figures of the sweep.
    trained: Figures of the ranked trainings.
    sought: Figures of the trainings that look for causes.
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
    "causes": [*sought],
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
    "--causes",
    action="store_true",
    help="train longer and with other rates too, where an ordering did not hold",
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
  settings = plan.Settings(
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

  started = train(plan.starts(entries, settings))
  try:
    resume.note_starts(work, started)
  except ValueError as error:
    raise SystemExit(f"{error}") from None
  tried = train(plan.sweep(entries, settings))
  trained: list[dict[str, Any]] = []
  sought: list[dict[str, Any]] = []

  def write() -> dict[str, Any]:
    found = report(work, settings, started, tried, trained, sought)
    if options.json:
      results.write_json(options.json, found)
    return found

  for phase in plan.phases(tasks, entries, seeds):
    trained += train(plan.ranked(phase, settings, tried))
    write()
  if options.causes:
    sought += train(plan.causes(tasks, entries, settings, tried))
    write()
  costs.measure_all(work, dict.fromkeys(own["entry"] for own in trained))
  found = write()
  if options.plots:
    draw(options.plots, found["rows"])


if __name__ == "__main__":
  main()
