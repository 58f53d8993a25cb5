r"""Times training: its steps, a whole run, and its input.

  GLIBC_TUNABLES=glibc.malloc.hugetlb=1 python -m benchmarks.training \
    [--parts PART ...] [--json FILE] [--seconds S]

Parts, all by default:

  run    train.py on a config in a process of its own: clips a second, the share
         of the time that it waits for data, seconds to the end of its first
         step, peak memory. Arguments --config.FIELD=VALUE go to train.py.
  input  batches of clips of H.264 files against bare decoding of the same
         frames by PyAV with as many threads, and against torch's DataLoader
         with as many processes that do so.
  steps  a training step of networks against a plain one of the same network in
         torch: medians in milliseconds and the median ratio (above 1: ours is
         faster), the seconds to trace and compile ours, what the compiler sets
         aside for it. Of convolutional networks also the sum over their
         convolutions, each timed alone in both libraries, forward and both
         gradients.

On a GPU that both libraries see, steps are in bfloat16, torch's are compiled by
torch.compile and run under autocast, and MFU is told of the GPUs whose peak is
known: the FLOPs that XLA counts, over that peak. It has not been tried on one;
XLA_PYTHON_CLIENT_PREALLOCATE=false leaves torch its memory.
"""

import argparse
import fnmatch
import json
import os
import pathlib
from collections.abc import Callable
from typing import Any

import jax
import torch

from benchmarks.shared import machine
from benchmarks.shared import network_sides as sides
from benchmarks.training_parts import batches as train_input
from benchmarks.training_parts import print_results as train_table
from benchmarks.training_parts import steps as train_steps
from benchmarks.training_parts import whole_run as train_run

PARTS = ("run", "input", "steps")


def main(argv: list[str] | None = None) -> None:
  """Measures, prints tables and writes the JSON file after every row.

  What fails is told, and the rest goes on.

  Raises:
    SystemExit: In the end, if something failed.
  """
  options = _options(argv)
  report: dict[str, Any] = {}

  def add(part: str, row: dict[str, Any], words: str) -> None:
    print(words, flush=True)
    report.setdefault(part, []).append(row)
    # The run's process needs the device that this asks for.
    about = {} if part == "run" else {"machine": machine.describe()}
    if options.json:
      text = json.dumps(about | report, indent=1)
      options.json.write_text(text + "\n")

  for part, measure in (("run", _run), ("input", _input), ("steps", _steps)):
    if part in options.parts:
      measure(options, add)
  if any("error" in row for rows in report.values() for row in rows):
    raise SystemExit(1)


Add = Callable[[str, dict[str, Any], str], None]


def _run(options: argparse.Namespace, add: Add) -> None:
  try:
    result = train_run.measure(options.config, options.num_steps, options.arguments)
  except ValueError as error:
    result = {"config": options.config, "error": str(error)}
  add("run", result, train_table.run(result))


def _input(options: argparse.Namespace, add: Add) -> None:
  print(train_table.INPUT)
  for setting in train_input.SETTINGS:
    result = train_input.measure(
      setting, seconds=options.seconds, num_threads=options.num_threads
    )
    add("input", result, train_table.clips(result))


def _steps(options: argparse.Namespace, add: Add) -> None:
  if torch.cuda.is_available():  # As XLA does by itself.
    torch.set_float32_matmul_precision("high")
  dtype = options.dtype
  if dtype is None:
    on_gpu = jax.default_backend() == "gpu" and torch.cuda.is_available()
    dtype = "bfloat16" if on_gpu else "float32"
  print(train_table.STEPS)
  for row in train_steps.ROWS:
    if not any(fnmatch.fnmatch(row.name, p) for p in options.networks):
      continue
    setting = train_steps.SETTINGS[row.name]
    if options.frames:
      setting = setting._replace(frames=options.frames)
    try:
      result = train_steps.measure(
        row, dtype, setting, seconds=options.seconds, batch=options.batch
      )
    except (RuntimeError, ValueError) as error:
      result = {"name": row.name, "dtype": dtype, "error": str(error)}
    add("steps", result, train_table.step(result))
    sides.forget()


def _options(argv: list[str] | None) -> argparse.Namespace:
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  add = parser.add_argument
  add("--parts", nargs="+", choices=PARTS, default=PARTS)
  add("--json", type=pathlib.Path, help="file to write")
  add("--seconds", type=float, default=2.0, help="for a timing")
  group = parser.add_argument_group("run")
  add = group.add_argument
  add("--config", default="configs/camera_motion.py", help="file")
  add("--num-steps", type=int, default=200)
  group = parser.add_argument_group("input")
  group.add_argument(
    "--num-threads", type=int, default=os.cpu_count(), help="that decode"
  )
  group = parser.add_argument_group("steps")
  add = group.add_argument
  add("--networks", nargs="+", metavar="PATTERN", default=["*"])
  add("--batch", type=int, default=2, help="clips")
  add("--frames", type=int, help="of a clip, instead of the usual ones")
  add("--dtype", choices=["float32", "bfloat16"])
  options, options.arguments = parser.parse_known_args(argv)
  unknown = [a for a in options.arguments if not a.startswith("--config.")]
  if unknown:
    parser.error(f"unknown arguments {unknown}.")
  for pattern in options.networks:
    if not fnmatch.filter(train_steps.SETTINGS, pattern):
      parser.error(f"no network fits {pattern!r}; there are {[*train_steps.SETTINGS]}.")
  return options


if __name__ == "__main__":
  main()
