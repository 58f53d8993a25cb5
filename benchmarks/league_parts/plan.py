"""All trainings of the league: what is trained in which order, and how."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from benchmarks.league_parts import config, run
from benchmarks.league_parts.entries import (
  ENTRIES,
  GROUPS,
  STARTS,
  group_of,
  main_task,
  swept,
)

# Learning rates by backbone; without a sweep the one before the last.
RATES: Mapping[str, Sequence[float]] = MappingProxyType(
  {
    "resnet": (4e-3, 1.2e-2),
    "big_little": (4e-3, 1.2e-2),
    "vit": (1.5e-3, 4e-3),
  }
)
# Networks without operator learn much of this task from single frames: it gives
# the weights that others start from.
_START_TASK = "something_moves"
_FIRST_SEED = 0  # All trainings but the ranked ones have it.


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


class Cause(NamedTuple):
  """A training that looks for the cause of an ordering that does not hold.

  Attributes:
    task: A key of `config.TASKS`.
    entry: A key of `ENTRIES`.
    steps_factor: Its steps over those of the ranked trainings of the task.
    lr: Learning rate, None for that of the family.
  """

  task: str
  entry: str
  steps_factor: float
  lr: float | None = None


CAUSES = (
  # No operator < every published operator, and TSM < TAM, in bLVNet.
  Cause("camera_motion", "blvnet", 0.5),
  Cause("camera_motion", "blvnet", 2),
  Cause("camera_motion", "blvnet_tam", 0.5),
  Cause("camera_motion", "blvnet_tam", 0.5, lr=4e-3),
  Cause("camera_motion", "blvnet_tam", 2),
  # No operator < every published operator, in the ResNet: TAda guesses.
  Cause("camera_motion", "tada", 2),
  Cause("camera_motion", "tada_v2", 2),
  # Context features < every operation: the sum guesses the order.
  Cause("something_moves", "atm_context", 3),
  Cause("something_moves", "atm_sum", 3),
  Cause("something_moves", "atm_product", 3),
  # Other calibrations < TAdaConv's, without < with global context.
  Cause("something_moves", "tada_clip_frames", 3),
  Cause("something_moves", "tada_conv", 3),
  Cause("something_moves", "tada_no_global", 3),
  # No operator < every published operator, in the ViT, and its other orderings:
  # these guess, and so does TAdaFormer's form for Kinetics.
  Cause("camera_motion", "joint", 2),
  Cause("camera_motion", "ata", 2),
  Cause("camera_motion", "xclip", 2),
  Cause("camera_motion", "tadaformer_kinetics", 2),
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


def ranked(
  phase: Sequence[tuple[str, str, int]],
  settings: Settings,
  tried: Sequence[Mapping[str, Any]],
) -> list[run.Job]:
  """Returns the trainings of a phase, see `phases`.

  Args:
    phase: Task, entry and seed of each.
    settings: The league's settings.
    tried: Figures of the sweep, see `chosen_rate`.
  """
  return [
    run.Job(
      task,
      name,
      chosen_rate(name, tried),
      seed,
      _steps(task, settings),
      start=_start(name, settings),
    )
    for task, name, seed in phase
  ]


def causes(
  tasks: Sequence[str],
  entries: Sequence[str],
  settings: Settings,
  tried: Sequence[Mapping[str, Any]],
) -> list[run.Job]:
  """Returns the trainings of `CAUSES`, with the first seed.

  Args:
    tasks: Tasks whose trainings are returned.
    entries: Entries whose trainings are returned.
    settings: The league's settings.
    tried: Figures of the sweep, see `chosen_rate`.
  """
  jobs = [
    run.Job(
      cause.task,
      cause.entry,
      cause.lr or chosen_rate(cause.entry, tried),
      _FIRST_SEED,
      round(cause.steps_factor * _steps(cause.task, settings)),
      run.CAUSE,
      _start(cause.entry, settings),
    )
    for cause in CAUSES
    if cause.task in tasks and cause.entry in entries
  ]
  return [*dict.fromkeys(jobs)]  # A rate may be the chosen one too.


def _steps(task: str, settings: Settings) -> int:
  """Returns the steps of a ranked training."""
  return settings.steps * config.TASKS[task].steps_factor


def starts(entries: Sequence[str], settings: Settings) -> list[run.Job]:
  """Returns the trainings whose weights the entries start from, if any."""
  if not settings.from_start:
    return []
  return [
    run.Job(
      _START_TASK,
      start.entry,
      _usual_rate(backbone),
      _FIRST_SEED,
      start.steps,
      run.START,
    )
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
      run.Job(task, name, lr, _FIRST_SEED, steps, run.RATE, _start(name, settings))
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
