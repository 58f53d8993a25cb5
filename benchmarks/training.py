r"""Times training: its steps, a whole run, and its input.

  GLIBC_TUNABLES=glibc.malloc.hugetlb=1 python -m benchmarks.training \
    [--parts PART ...] [--json FILE] [--seconds S]

Parts, all by default:

  run    train.py on a config in a process of its own: clips per second, the
         share of the time that it waits for data, seconds to the end of its
         first step, peak memory. Arguments --config.FIELD=VALUE go to train.py.
  input  batches of clips of H.264 files, compared with decoding the same frames
         by PyAV with as many threads, and with torch's DataLoader with as many
         processes.
  steps  a training step of networks, compared with a plain step of the same
         network in torch: medians in milliseconds and the median ratio (above
         1: ours is faster), the seconds to trace and compile ours, and its peak
         memory. For convolutional networks also the sum over their
         convolutions, each timed by itself in both libraries, forward and both
         gradients.

On a GPU that both libraries see, steps are by default in bfloat16, torch's are
compiled by torch.compile and run under autocast, and the table shows MFU if the
GPU's peak is known: three times the forward pass' multiply-adds per second over
the peak.
XLA_PYTHON_CLIENT_PREALLOCATE=false leaves memory for torch.
"""

import argparse
import os
from collections.abc import Callable
from typing import Any

import jax
import torch

from benchmarks.cases.networks import find_cases, find_clip_shape
from benchmarks.shared import machine, network_sides, results, torch_device
from benchmarks.training_parts import batches, steps, whole_run

PARTS = ("run", "input", "steps")


def main(argv: list[str] | None = None) -> None:
  """Measures, prints tables and writes the JSON file after every row.

  Failures are reported; the remaining rows still run.

  Raises:
    SystemExit: In the end, if a row failed.
  """
  options = _options(argv)
  report: dict[str, Any] = {}

  def add(part: str, row: dict[str, Any]) -> None:
    if "error" in row:
      print(f"{row.get('name', part)} failed: {row['error']}", flush=True)
    report.setdefault(part, []).append(row)
    # `describe` takes the device, which the run's process needs.
    about = {} if part == "run" else {"machine": machine.describe()}
    results.write_json(options.json, about | report)

  for part, measure in (("run", _run), ("input", _input), ("steps", _steps)):
    if part in options.parts:
      measure(options, add)
  if any("error" in row for rows in report.values() for row in rows):
    raise SystemExit(1)


Add = Callable[[str, dict[str, Any]], None]


def _run(options: argparse.Namespace, add: Add) -> None:
  try:
    row = whole_run.measure(options.config, options.num_steps, options.arguments)
  except ValueError as error:
    row = {"config": options.config, "error": str(error)}
  else:
    table = results.ResultTable(
      ("run", "steps", "seconds", "first step s", "clips/s", "data wait", "peak GiB")
    )
    table.add(
      row["config"],
      str(row["steps"]),
      f"{row['seconds']:.0f}",
      f"{row['first_step_seconds']:.1f}",
      f"{row['clips_per_second']:.1f}",
      f"{row['data_wait']:.1%}",
      f"{row['peak_bytes'] / 2**30:.2f}",
    )
  add("run", row)


def _input(options: argparse.Namespace, add: Add) -> None:
  table = results.ResultTable(
    (
      "videos",
      "clip (T x H x W x C)",
      "threads",
      "clips/s",
      "PyAV clips/s",
      "ratio",
      "DataLoader clips/s",
      "ratio",
    )
  )
  for setting in batches.SETTINGS:
    row = batches.measure(
      setting, seconds=options.seconds, num_threads=options.num_threads
    )
    speed = row["clips_per_second"]
    table.add(
      row["videos"],
      " x ".join(map(str, row["clip"])),
      str(row["threads"]),
      f"{speed['ours']:.1f}",
      f"{speed['theirs']:.1f}",
      f"{row['ratio']:.2f}x",
      f"{speed['loader']:.1f}",
      f"{row['loader_ratio']:.2f}x",
    )
    add("input", row)


_STEP_COLUMNS = (
  "step",
  "dtype",
  "ours ms",
  "torch ms",
  "ratio",
  "clips/s",
  "compile s",
  "peak GiB",
  "conv. forward ms",
  "torch ms",
  "ratio",
  "conv. gradients ms",
  "torch ms",
  "ratio",
  "MFU",
)


def step_cells(row: dict[str, Any]) -> tuple[str, ...]:
  """Returns the cells of a result of `steps.measure`."""
  convolutions = row["convolutions"] or {"forward": None, "gradients": None}
  utilization = row["flops_utilization"]
  return (
    row["name"],
    row["dtype"],
    *results.time_cells(row["step"]),
    f"{row['clips_per_second']['ours']:.2f}",
    f"{row['compile_seconds']:.1f}",
    f"{row['peak_bytes'] / 2**30:.2f}",
    *results.time_cells(convolutions["forward"]),
    *results.time_cells(convolutions["gradients"]),
    results.share_cell(utilization),
  )


def _steps(options: argparse.Namespace, add: Add) -> None:
  if torch.cuda.is_available():  # XLA does so by default.
    torch.set_float32_matmul_precision("high")
  dtype = options.dtype
  if dtype is None:
    on_gpu = jax.default_backend() == "gpu" and torch.cuda.is_available()
    dtype = "bfloat16" if on_gpu else "float32"
  table = results.ResultTable(_STEP_COLUMNS)
  for case in options.cases:
    setting = steps.SETTINGS[case.name]
    if options.frames:
      setting = setting._replace(frames=options.frames)
    try:
      row = steps.measure(
        case,
        dtype,
        setting,
        compiled=options.torch == "compiled",
        clip_shape=find_clip_shape(case.key, side=options.side),
        seconds=options.seconds,
        batch=options.batch,
      )
    except (RuntimeError, ValueError) as error:
      row = {"name": case.name, "dtype": dtype, "error": str(error)}
    else:
      table.add(*step_cells(row))
    add("steps", row)
    network_sides.free_memory()


def _options(argv: list[str] | None) -> argparse.Namespace:
  parser = results.create_parser(__doc__)
  add = parser.add_argument
  add("--parts", nargs="+", choices=PARTS, default=PARTS)
  add("--seconds", type=float, default=2.0, help="per timing")
  add = parser.add_argument_group("run").add_argument
  add("--config", default="configs/camera_motion.py", help="file")
  add("--num-steps", type=int, default=200)
  add = parser.add_argument_group("input").add_argument
  add("--num-threads", type=int, default=os.cpu_count(), help="decoding threads")
  add = parser.add_argument_group("steps").add_argument
  add("--networks", nargs="+", metavar="PATTERN")
  add("--batch", type=int, default=2, help="clips")
  add("--frames", type=int, help="frames of a clip, instead of the usual")
  add("--side", type=int, help="pixels of a frame, instead of the usual ones")
  add("--dtype", choices=["float32", "bfloat16"])
  add("--torch", choices=["eager", "compiled"])
  options, options.arguments = parser.parse_known_args(argv)
  unknown = [a for a in options.arguments if not a.startswith("--config.")]
  if unknown:
    parser.error(f"unknown arguments {unknown}.")
  options.torch = options.torch or torch_device.default_mode()
  try:
    options.cases = find_cases(options.networks, steps.SETTINGS)
  except ValueError as error:
    parser.error(str(error))
  return options


if __name__ == "__main__":
  main()
