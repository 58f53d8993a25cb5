"""One training of the league, by the library's command in its own process."""

import json
import os
import pathlib
import queue
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent import futures
from typing import Any, NamedTuple

from benchmarks.league_parts import config, order
from benchmarks.league_parts.entries import ENTRIES, Entry
from benchmarks.shared import trained_once
from temporal_jax import process_setup, training

_CONFIG = pathlib.Path(config.__file__)
# Training clips that choose a learning rate, and those that it is tested on.
HELD_OUT = ("train[:75%]", "train[75%:]")
# Other work on the machine goes first.
PRIORITY = ("nice", "-n", "19")
_LOG_LINES = 15  # The message has these of a failed training.
# Purposes of a training: to choose a learning rate, to make the weights that
# others start from, to be ranked, and to find why an ordering does not hold.
RATE, START, RANKED, CAUSE = "rates", "starts", "ranked", "causes"


class Job(NamedTuple):
  """A training.

  Attributes:
    task: A key of `config.TASKS`.
    entry: A key of `ENTRIES`.
    lr: Learning rate.
    seed: Seed of the weights, the order of clips and their augmentation.
    steps: Updates of the weights.
    purpose: `RATE`, which trains on a part of the training clips and is tested
      on the rest; `START`, which trains on that part too, so that the rest is
      new to both; `RANKED`; or `CAUSE`.
    start: Entry whose weights, of the purpose `START`, it starts from; "" for
      none.
  """

  task: str
  entry: str
  lr: float
  seed: int
  steps: int
  purpose: str = RANKED
  start: str = ""

  def place(self, work: pathlib.Path) -> pathlib.Path:
    """Returns its folder in the folder of all trainings."""
    if self.purpose == START:
      return _start(work, self.entry)
    last = {
      RATE: f"{self.lr:g}",
      RANKED: f"{self.seed}",
      CAUSE: f"{self.lr:g}_{self.steps}",
    }
    return work / self.purpose / self.task / f"{self.entry}_{last[self.purpose]}"

  def description(self) -> dict[str, Any]:
    """Returns its fields and, as "network", all that makes the network."""
    return {**self._asdict(), "network": network_text(ENTRIES[self.entry])}

  def arguments(self, work: pathlib.Path) -> list[str]:
    """Returns the arguments of train.py, without its own folder."""
    entry = ENTRIES[self.entry]
    fields = {
      **entry.settings,
      "model.temporal": entry.temporal,
      "num_steps": self.steps,
      "optim.warmup_steps": self.steps // 10,
      "optim.lr": f"{self.lr:g}",
      "seed": self.seed,
      "data.data_dir": work / "data",
    }
    if self.start:
      fields["init_from"] = _start(work, self.start)
    part, rest = HELD_OUT
    if self.purpose in (START, RATE):
      fields["data.train_split"] = part
    if self.purpose == RATE:
      fields["data.test_split"] = rest
    return [
      f"--config={_CONFIG}:{self.task}/{entry.backbone}",
      *(f"--config.{name}={value}" for name, value in fields.items()),
    ]


def network_text(entry: Entry) -> str:
  """Returns all that makes an entry's network."""
  name, arguments = config.BACKBONES[entry.backbone]
  values = {**arguments, "temporal": entry.temporal, **entry.settings}
  text = ", ".join(f"{field}={value!r}" for field, value in values.items())
  return f"{name}({text})"


def _start(work: pathlib.Path, entry: str) -> pathlib.Path:
  """Returns the folder of the weights that others start from."""
  return work / START / entry


def figures(work: pathlib.Path, job: Job) -> dict[str, Any] | None:
  """Returns the figures of a training that has ended, else None."""
  return trained_once.figures(job.place(work))


def run_all(
  work: pathlib.Path, jobs: Sequence[Job], at_once: int = 1
) -> Iterator[dict[str, Any]]:
  """Yields the figures of trainings in their order, see `run`.

  Args:
    work: Folder of all trainings.
    jobs: The trainings.
    at_once: Number of trainings that run at a time, each on its own share of
      the processor's cores; fewer trainings have larger shares.
  """
  if not jobs:
    return
  at_once = min(at_once, len(jobs))
  shares: queue.SimpleQueue[tuple[int, ...]] = queue.SimpleQueue()
  for share in core_shares(at_once):
    shares.put(share)

  def run_on_share(job: Job) -> dict[str, Any]:
    cores = shares.get()
    try:
      return run(work, job, cores)
    finally:
      shares.put(cores)

  with futures.ThreadPoolExecutor(at_once) as pool:
    yield from pool.map(run_on_share, jobs)


def core_shares(parts: int) -> list[tuple[int, ...]]:
  """Returns the cores of each of equal parts of them.

  One part is (), which means all.

  Raises:
    ValueError: If there are fewer cores, or the system binds processes to none.
  """
  if parts == 1:
    return [()]
  if not hasattr(os, "sched_getaffinity"):
    raise ValueError(
      f"{parts} trainings at once need Linux, which binds them to cores."
    )
  cores = sorted(os.sched_getaffinity(0))
  if parts > len(cores):
    raise ValueError(f"{parts} trainings at once need as many cores, not {len(cores)}.")
  return [tuple(cores[part::parts]) for part in range(parts)]


def run(work: pathlib.Path, job: Job, cores: Sequence[int] = ()) -> dict[str, Any]:
  """Trains and tests, unless it was done, and returns the figures.

  A training that was stopped goes on. It has low priority, and keeps compiled
  programs in the folder: other seeds need no compilation.

  Args:
    work: Folder of all trainings.
    job: The training.
    cores: Numbers of the processor's cores that it may use; () for all.

  Raises:
    SystemExit: If it fails or is stopped, then the next call goes on; or if its
      folder has a training with another learning rate, other steps, another
      start or another network.
  """
  place = job.place(work)
  trained_once.begin(place, job.description())
  if (done := figures(work, job)) is not None:
    return done
  log = place.parent / f"{place.name}.log"
  pinned = ["taskset", "--cpu-list", ",".join(map(str, cores))] if cores else []
  command = [*PRIORITY, *pinned, sys.executable, "-m", "temporal_jax.train"]
  command += [f"--workdir={place}", "--wait", *job.arguments(work)]
  own = {process_setup.CACHE: str(work / "compiled")}
  with log.open("w") as output:
    status = subprocess.call(
      command,
      env=os.environ | own,
      stdin=subprocess.DEVNULL,
      stdout=output,
      stderr=subprocess.STDOUT,
    )
  report = place / "report.json"
  if status or not report.exists():
    last = "\n".join(log.read_text().splitlines()[-_LOG_LINES:])
    raise SystemExit(f"the training in {place} did not end (status {status}):\n{last}")
  return trained_once.end(place, _read(place, job))


def _read(place: pathlib.Path, job: Job) -> dict[str, Any]:
  """Returns the results of a complete training."""
  report = json.loads((place / "report.json").read_text())
  rows = training.read_rows(place / "metrics.jsonl")
  trained = [row for row in rows if "accuracy" in row][-1]
  return {
    "top1": report["top1"],
    "pair_top1": order.pair_accuracy(job.task, report["confusion"]),
    "test_clips": report["clips_scored"],
    "training_top1": trained["accuracy"],
    "training_loss": trained["loss"],
  }
