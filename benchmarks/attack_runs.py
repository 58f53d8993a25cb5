"""Attacks training runs: kills them, damages files, starts two at once.

  python -m benchmarks.attack_runs
  python -m benchmarks.attack_runs --kills=3 --flips=1 --starts=1

Prints for each kind of attack how many were tried and how many the run held
against: nothing was lost, and a refusal was one message that named its cause.
Failures are printed with their cause. docs/reliability.md has the figures.
"""

import argparse
import itertools
import json
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator

import jax
import numpy as np
import optax
from absl import logging

import temporal_jax
from benchmarks.shared import results
from temporal_jax import inference, training
from temporal_jax.data.video.encoding import encode_mp4
from temporal_jax.models.catalog.registry import find_model

_ROOT = pathlib.Path(__file__).parents[1]
_CLIP = (1, 2, 16, 16, 3)
# Largest size of a file in bytes, as on a full disk.
_FULL = (100, 1_000, 40_000)


class Tally:
  """Counts the attacks, and those that the run withstood, by kind."""

  def __init__(self):
    self.tried: dict[str, int] = {}
    self.held: dict[str, int] = {}

  def note(self, kind: str, what: str, fault: str) -> None:
    """Counts an attack; `fault` describes what went wrong, "" if it held."""
    self.tried[kind] = self.tried.get(kind, 0) + 1
    self.held[kind] = self.held.get(kind, 0) + (not fault)
    if fault:
      print(f"  did not hold: {kind}, {what}: {fault}", flush=True)

  def show(self) -> None:
    """Prints the table."""
    print()
    table = results.ResultTable(("attack", "tried", "held"), name_width=40)
    for kind, tried in self.tried.items():
      table.add(kind, str(tried), str(self.held[kind]))


def main(argv: list[str] | None = None) -> None:
  """Runs all attacks; exits with status 1 if one did not hold."""
  parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
  parser.add_argument("--kills", type=int, default=20)
  parser.add_argument("--starts", type=int, default=3)
  parser.add_argument("--flips", type=int, default=8, help="bits of each file")
  parser.add_argument("--seed", type=int, default=0)
  options = parser.parse_args(argv)
  random.seed(options.seed)
  logging.set_verbosity(logging.FATAL)
  tally = Tally()
  with tempfile.TemporaryDirectory() as folder:
    place = pathlib.Path(folder)
    attack_checkpoints(place / "state", options.flips, tally)
    attack_model(place / "model", options.flips, tally)
    if options.kills or options.starts:
      runs = Runs(place)
      attack_starts(runs, options.starts, tally)
      attack_disk(runs, tally)
      attack_by_kills(runs, options.kills, tally)
  tally.show()
  raise SystemExit(tally.tried != tally.held)


def damages(file: pathlib.Path, flips: int) -> Iterator[tuple[str, bytes | None]]:
  """Yields names of damages and the damaged content; None for no file."""
  content = file.read_bytes()
  yield "deleted", None
  if content:
    yield "emptied", b""
    yield "cut in half", content[: len(content) // 2]
    yield "without its last byte", content[:-1]
  for _ in range(flips if content else 0):
    bit = random.randrange(8 * len(content))
    flipped = bytearray(content)
    flipped[bit // 8] ^= 1 << bit % 8
    yield f"bit {bit} flipped", bytes(flipped)


def damage_all(folder: pathlib.Path, flips: int) -> Iterator[tuple[str, str]]:
  """Damages one file after the other, yields its name and how, restores it."""
  for file in sorted(path for path in folder.rglob("*") if path.is_file()):
    before = file.read_bytes()
    for how, content in damages(file, flips):
      if content is None:
        file.unlink()
      else:
        file.write_bytes(content)
      yield file.relative_to(folder).as_posix(), how
      file.write_bytes(before)


def attack_checkpoints(place: pathlib.Path, flips: int, tally: Tally) -> None:
  """Damages the newer of two checkpoints, file by file."""
  states = {}
  checkpoints = training.Checkpoints(place / "checkpoints", best="top1")
  for step in (1, 2):
    kernel = jax.random.normal(jax.random.key(step), (16, 8))
    variables = {"params": {"kernel": kernel}, "batch_stats": {}}
    state = training.create_state(variables, optax.adamw(1e-3), ema=False)
    states[step] = state.replace(step=state.step + step)
    checkpoints.save(states[step], position(step), {"top1": step / 2})
  checkpoints.close()

  def restored() -> str:
    got = training.Checkpoints(place / "checkpoints", best="top1").restore(states[1])
    step = int(got.state.step)
    named = step == 2 or "checkpoints/2" in " ".join(got.unreadable)
    return differs(got.state, states[step]) or (
      ""
      if named and got.position == position(step)
      else f"step {step}, position {got.position}, {got.unreadable}"
    )

  def loaded() -> str:
    params = training.load_variables(place)["params"]
    faults = [differs(params, state.params) for state in states.values()]
    return "" if "" in faults else faults[0]

  for name, how in damage_all(place / "checkpoints" / "2", flips):
    what = f"{name} {how}"
    tally.note("file of a checkpoint damaged, resumed", what, fault(restored))
    tally.note("file of a checkpoint damaged, loaded", what, fault(loaded))


def position(step: int) -> dict:
  """Returns a position in the data."""
  return {"start": 0, "read": [step], "batch_size": 1, "num_videos": 9}


def attack_model(place: pathlib.Path, flips: int, tally: Tally) -> None:
  """Damages the variables of a saved network, file by file."""
  spec = find_model("resnet18")
  model = temporal_jax.create_model("resnet18", num_classes=2, width=4)
  variables = training.init_variables(model, _CLIP, jax.random.key(0))
  inference.save_model(
    place,
    jax.device_get(variables),
    {
      "model": "resnet18",
      "overrides": {"width": 4},
      "num_classes": 2,
      "clip_shape": _CLIP[1:],
      "class_names": None,
      "pixels": {"mean": spec.mean, "std": spec.std},
    },
  )

  def refused() -> str:
    try:
      got = inference.load_model(place).variables
    except ValueError as error:
      return "" if str(place) in str(error) else f"it is not named: {error}"
    return differs(got["params"], variables["params"])

  for name, how in damage_all(place, flips):
    tally.note("file of a model folder damaged", f"{name} {how}", fault(refused))


def differs(got: object, wanted: object) -> str:
  """Returns "" if two trees hold the same bits."""
  pairs = zip(jax.tree.leaves(got), jax.tree.leaves(wanted), strict=True)
  same = all(np.array_equal(one, other) for one, other in pairs)
  return "" if same else "other values than were saved"


def fault(check: Callable[[], str]) -> str:
  """Returns the fault that a check found, or its exception."""
  try:
    return check()
  except Exception as error:
    return f"{type(error).__name__}: {error}"


class Runs:
  """Short runs of train.py, and one that is not attacked."""

  def __init__(self, place: pathlib.Path):
    """Makes videos and the run that others are compared with."""
    self.place = place
    for name, step in (("rise", 1), ("fall", -1)):
      folder = place / "videos" / name
      folder.mkdir(parents=True)
      for i in range(6):
        levels = (20 + 8 * (i + np.arange(10))[::step]).astype(np.uint8)
        frames = np.ones((10, 32, 32, 3), np.uint8) * levels[:, None, None, None]
        (folder / f"{i}.mp4").write_bytes(encode_mp4(frames, fps=10))
    self.whole = place / "whole"
    status, _, errors = self.run(self.whole)
    if status:
      raise SystemExit(f"a run that nobody disturbs fails: {errors}")

  def start(self, workdir: pathlib.Path, *flags: str, **kwargs) -> subprocess.Popen:
    """Starts a run."""
    return subprocess.Popen(
      [
        sys.executable,
        "train.py",
        "--config=tests/support/tiny_config.py",
        f"--workdir={workdir}",
        f"--config.data.root={self.place}/videos",
        "--config.save_every=1",
        *flags,
      ],
      cwd=_ROOT,
      env={
        **os.environ,
        "JAX_PLATFORMS": "cpu",
        "JAX_COMPILATION_CACHE_DIR": str(self.place / "compiled"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
      },
      stdout=subprocess.PIPE,
      stderr=subprocess.PIPE,
      text=True,
      **kwargs,
    )

  def run(self, *args: object, **kwargs) -> tuple[int, str, str]:
    """Waits for the end of a run; returns exit status, output and errors."""
    process = self.start(*args, **kwargs)
    out, errors = process.communicate()
    return process.returncode, out, errors

  def fault(self, workdir: pathlib.Path) -> str:
    """Returns the difference between a complete run and an unattacked one."""
    one, other = (
      (path / "metrics.jsonl").read_text() for path in (workdir, self.whole)
    )
    if one != other:
      return f"other metrics: {one!r}"
    json.loads((workdir / "report.json").read_text())
    left = [path.name for path in workdir.rglob("*.partial")]
    if left:
      return f"left over: {left}"
    return differs(training.read_state(workdir), training.read_state(self.whole))


def attack_starts(runs: Runs, count: int, tally: Tally) -> None:
  """Starts twice in one workdir, at once or with --wait."""
  for number in range(count):
    workdir = runs.place / f"starts_{number}"
    first = runs.start(workdir)
    time.sleep(random.uniform(0.0, 6.0))
    second = runs.start(workdir)
    errors = [process.communicate()[1] for process in (first, second)]
    codes = [first.returncode, second.returncode]
    refused = " ".join(text for text, code in zip(errors, codes, strict=True) if code)
    winner = (first, second)[codes.index(0) if 0 in codes else 0]
    words = f"is in use by process {winner.pid} on host"
    problem = ""
    if sorted(codes) != [0, 1] or words not in refused:
      problem = f"codes {codes}, {refused}"
    elif len(refused.strip().splitlines()) > 1:
      problem = f"more than a sentence: {refused}"
    tally.note("two starts at once", str(number), problem or runs.fault(workdir))
    workdir = runs.place / f"waits_{number}"
    both = [runs.start(workdir, "--wait") for _ in range(2)]
    outputs = [process.communicate() for process in both]
    problem = "" if not any(p.returncode for p in both) else str(outputs)
    tally.note("two starts with --wait", str(number), problem or runs.fault(workdir))


def attack_disk(runs: Runs, tally: Tally) -> None:
  """Limits the size of files; then continues without a limit."""
  for limit in _FULL:
    workdir = runs.place / f"full_{limit}"

    def refuse(limit: int = limit) -> None:
      signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
      resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    status, _, errors = runs.run(workdir, preexec_fn=refuse)
    problem = ""
    if not status or "Traceback" in errors or "train.py: " not in errors:
      problem = f"exit status {status}, {errors[-2000:]}"
    status, _, errors = runs.run(workdir)
    problem = problem or (errors if status else runs.fault(workdir))
    tally.note("full disk, then gone on", f"{limit} bytes", problem)


def attack_by_kills(runs: Runs, count: int, tally: Tally) -> None:
  """Kills one run after the other at random moments, then lets it finish.

  Half of the kills happen while a run starts, half while it saves steps.
  """
  workdir, kinds = runs.place / "killed", "kill -9 at a random moment"
  kills = 0
  for number in itertools.count():
    if kills == count:
      break
    process = runs.start(workdir)
    if number % 2:
      wait_for_start(process)
      time.sleep(random.uniform(0.0, 3.0))
    else:
      time.sleep(random.uniform(0.0, 8.0))
    process.kill()
    _, errors = process.communicate()
    if process.returncode != -signal.SIGKILL:
      if process.returncode:
        tally.note(kinds, f"start {number}", errors)
        return
      # It finished before it was killed: attack the next run.
      shutil.rmtree(workdir)
      continue
    kills += 1
    if kills < count:
      tally.note(kinds, f"kill {kills}", "")
  status, _, errors = runs.run(workdir)
  problem = errors if status else runs.fault(workdir)
  if count:
    tally.note(kinds, "all of them", re.sub(r"\s+", " ", problem))


def wait_for_start(process: subprocess.Popen) -> None:
  """Waits until a run prints its start, or ends."""
  for line in process.stdout:
    if line.startswith("start: "):
      return


if __name__ == "__main__":
  main()
