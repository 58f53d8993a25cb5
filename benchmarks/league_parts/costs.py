"""Costs of the league's networks: size, multiply-adds, speed and memory.

python -m benchmarks.league_parts.costs WORK ENTRY ...
"""

import json
import pathlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

import jax
import jax.numpy as jnp
import ml_collections

import temporal_jax
from benchmarks.league_parts import config
from benchmarks.league_parts.entries import ENTRIES, Entry
from benchmarks.shared import machine
from temporal_jax import process_setup, storage
from temporal_jax.experiment import network
from temporal_jax.models.inspect import count
from temporal_jax.models.network import Network

# Clips of all tasks have the same shape; its networks have 16 classes.
_TASK = "something_moves"
_CLIPS = 16  # Of a call whose time is taken.
_SECONDS = 2.0  # In which the fastest call counts.


def read(work: pathlib.Path, name: str) -> dict[str, Any]:
  """Returns the costs of an entry, see `measure`; {} if they are not known."""
  file = _file(work, name)
  return json.loads(file.read_text()) if file.exists() else {}


def measure_all(work: pathlib.Path, names: Iterable[str]) -> None:
  """Measures what is not known, in a process of its own.

  Trainings would not get an accelerator that this process holds.

  Args:
    work: Folder of the league.
    names: Entries.
  """
  missing = [name for name in names if not read(work, name)]
  if missing:
    module = "benchmarks.league_parts.costs"
    subprocess.run([sys.executable, "-m", module, str(work), *missing], check=True)


def measure(name: str) -> dict[str, Any]:
  """Returns the costs of an entry on this machine.

  Args:
    name: A key of `ENTRIES`.

  Returns:
    "params"; "gmacs", multiply-adds of a clip by 1e9; "clips_per_second" of
    compiled inference, by the fastest of many calls, since other work on the
    machine only slows calls; and "memory", bytes that a call of 16 clips takes
    for results in between, as the compiler plans it.
  """
  model, clip = create(_TASK, ENTRIES[name])
  clips = jnp.zeros((_CLIPS, *clip), jnp.float32)
  variables = jax.jit(model.init)(jax.random.key(0), clips[:1])
  found = {
    "params": count.parameters(variables),
    "gmacs": count.multiply_adds(_logits(model), variables, clips[:1]) / 1e9,
  }
  compiled = jax.jit(_logits(model)).lower(variables, clips).compile()
  planned = compiled.memory_analysis()
  found["memory"] = planned.temp_size_in_bytes if planned else None
  best = float("inf")
  began = time.perf_counter()
  while time.perf_counter() - began < _SECONDS or best == float("inf"):
    start = time.perf_counter()
    jax.block_until_ready(compiled(variables, clips))
    best = min(best, time.perf_counter() - start)
  found["clips_per_second"] = _CLIPS / best
  return found


def create(task: str, entry: Entry) -> tuple[Network, tuple[int, ...]]:
  """Returns an entry's network, and the shape (T, H, W, 3) of its clips."""
  run = config.get_config(f"{task}/{entry.backbone}")
  _change(run, {"model.temporal": entry.temporal, **entry.settings})
  arguments = network.network_arguments(run)
  classes = config.TASKS[task].num_classes
  model = temporal_jax.create_model(run.model.name, num_classes=classes, **arguments)
  side = run.data.image_size
  return model, (run.data.num_frames, side, side, 3)


def _change(run: ml_collections.ConfigDict, fields: dict[str, Any]) -> None:
  """Changes fields of a config; arguments of the network may be new."""
  with run.model.overrides.unlocked():
    run.update_from_flattened_dict(fields)


def _logits(model: Network) -> Callable[[Any, jax.Array], jax.Array]:
  """Returns the function from variables and clips to logits."""
  return lambda variables, clips: model.apply(variables, clips)[0]


def _file(work: pathlib.Path, name: str) -> pathlib.Path:
  return work / "costs" / f"{name}.json"


def main() -> None:
  """Measures entries and writes their files."""
  work, *names = sys.argv[1:]
  process_setup.keep_compiled()
  about = machine.describe()
  for name in names:
    file = _file(pathlib.Path(work), name)
    file.parent.mkdir(parents=True, exist_ok=True)
    found = {**measure(name), "machine": about}
    storage.write_text(file, json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
  main()
