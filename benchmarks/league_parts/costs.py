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
import numpy as np

import temporal_jax
from benchmarks.league_parts import config, run
from benchmarks.league_parts.entries import ENTRIES, Entry
from benchmarks.shared import machine
from temporal_jax import process_setup, storage
from temporal_jax.data.datasets import photograph_clips
from temporal_jax.data.datasets.something_moves import SomethingMoves
from temporal_jax.experiment import network
from temporal_jax.models.inspect import count
from temporal_jax.models.network import Network

# Clips of all tasks have the same shape; its networks have 16 classes.
_TASK = "something_moves"
NAMES = ("params", "gmacs", "memory", "clips_per_second")
_SECONDS = 2.0  # Tens of calls, of which the fastest counts.


def read(work: pathlib.Path, name: str) -> dict[str, Any]:
  """Returns the costs of an entry, see `measure`, and its "network".

  They are {} if they are not known of this network and on this processor.
  """
  file = _file(work, name)
  found = json.loads(file.read_text()) if file.exists() else {}
  here = (run.network_text(ENTRIES[name]), machine.processor())
  known = (found.get("network"), found.get("machine", {}).get("processor"))
  return found if known == here else {}


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
  model, _ = create(_TASK, ENTRIES[name])
  clips = _clips()
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
  found["clips_per_second"] = len(clips) / best
  return found


def _clips() -> jax.Array:
  """Returns a test clip of each class: ATA's time depends on what they show."""
  rng = np.random.default_rng(0)
  pictures = photograph_clips.load_photographs("test")
  film = SomethingMoves.film
  drawn = [film(name, rng, pictures)[1] for name in SomethingMoves.CLASSES]
  frames = np.stack(drawn)[:, ::2, ::2, ::2]  # (16, 8, 32, 32, 3)
  return jnp.asarray(frames, jnp.float32) / 255


def create(task: str, entry: Entry) -> tuple[Network, tuple[int, ...]]:
  """Returns an entry's network, and the shape (T, H, W, 3) of its clips."""
  own = config.get_config(f"{task}/{entry.backbone}")
  _change(own, {"model.temporal": entry.temporal, **entry.settings})
  arguments = network.network_arguments(own)
  classes = config.TASKS[task].num_classes
  model = temporal_jax.create_model(own.model.name, num_classes=classes, **arguments)
  side = own.data.image_size
  return model, (own.data.num_frames, side, side, 3)


def _change(own: ml_collections.ConfigDict, fields: dict[str, Any]) -> None:
  """Changes fields of a config; arguments of the network may be new."""
  with own.model.overrides.unlocked():
    own.update_from_flattened_dict(fields)


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
    known = {"network": run.network_text(ENTRIES[name]), "machine": about}
    found = {**measure(name), **known}
    storage.write_text(file, json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
  main()
