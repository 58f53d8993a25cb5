r"""Times operators against the torch formulations their authors use.

  GLIBC_TUNABLES=glibc.malloc.hugetlb=1 \
    python -m benchmarks.operators [--json FILE] [--only TEXT] [--seconds S]

Both run in one process, in turns, at the sizes of the papers' networks:
forward, and forward with gradients. Printed are medians in milliseconds, the
median ratio (above 1: ours is faster), the peak memory of ours beside what
inputs, output and the paper's formula need, and what twice the frames cost.
Huge pages spare both the first touch of large results (glibc on Linux).

Frames of operators whose cost is linear are doubled from as many as fill
128 MiB: where results leave the caches, that is what would be timed.
"""

import argparse
import json
import math
import pathlib
import statistics

import einops
import jax
import numpy as np
import torch

from benchmarks.cases.modules import MODULE_ROWS
from benchmarks.cases.operators import ROWS
from benchmarks.cases.row import Row
from benchmarks.shared import machine, timing

_UNCACHED = 2**27  # Bytes, more than the caches hold.


def measure(row: Row, seconds: float) -> dict:
  """Measures one row and checks that both compute the same.

  Raises:
    ValueError: If the outputs differ.
  """
  arrays = _arrays(row, row.frames)
  official = [
    einops.rearrange(array, spec.pattern)
    for array, spec in zip(arrays, row.arrays(row.frames), strict=True)
  ]

  def theirs(*tensors: torch.Tensor) -> torch.Tensor:
    return row.theirs(*tensors, frames=row.frames)

  mine = timing.jax_runners(row.ours, arrays)
  other = timing.torch_runners(theirs, official)
  _check_equal(row, mine[0](), other[0]())
  forward = timing.side_by_side(mine[0], other[0], seconds=seconds)
  both = timing.side_by_side(mine[1], other[1], seconds=seconds)
  memory = jax.jit(row.ours).lower(*arrays).compile().memory_analysis()
  inputs_output = memory.argument_size_in_bytes + memory.output_size_in_bytes
  peak = inputs_output + memory.temp_size_in_bytes
  return {
    "name": row.name,
    "forward": forward._asdict(),
    "forward_backward": both._asdict(),
    "peak_bytes": peak,
    "needed_bytes": inputs_output + 4 * row.scratch(row.frames),
    "twice_the_frames": _doubling(row, peak, seconds),
    "linear": row.linear,
  }


def _doubling(row: Row, peak: int, seconds: float) -> float:
  """Returns what forward and backward cost with twice the frames."""
  frames = row.frames
  if row.linear:
    frames *= 2 ** max(0, math.ceil(math.log2(_UNCACHED / peak)))
  once, twice = (
    timing.jax_runners(row.ours, _arrays(row, count))[1]
    for count in (frames, 2 * frames)
  )
  return timing.side_by_side(once, twice, seconds=seconds).ratio


def _arrays(row: Row, frames: int) -> list[np.ndarray]:
  rng = np.random.default_rng(0)
  return [rng.standard_normal(array.shape, np.float32) for array in row.arrays(frames)]


def _check_equal(row: Row, ours: jax.Array, theirs: torch.Tensor) -> None:
  found = einops.rearrange(np.asarray(ours), row.out)
  wanted = theirs.detach().cpu().numpy().reshape(found.shape)
  error = np.linalg.norm(found - wanted) / np.linalg.norm(wanted)
  if not error < 1e-2:  # TF32 on a GPU; parity proper is the tests' matter.
    raise ValueError(f"{row.name}: the outputs differ by {error:.1e}.")


def _line(result: dict) -> str:
  forward, both = result["forward"], result["forward_backward"]
  mib = 2**20
  return (
    f"{result['name']:52}"
    f"{forward['ours']:8.2f}{forward['theirs']:9.2f}{forward['ratio']:7.2f}x"
    f"{both['ours']:9.2f}{both['theirs']:9.2f}{both['ratio']:7.2f}x"
    f"{result['peak_bytes'] / mib:8.1f}{result['needed_bytes'] / mib:8.1f}"
    f"{result['twice_the_frames']:7.2f}x"
  )


def main() -> None:
  """Measures, prints the table and writes the JSON file."""
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument("--json", type=pathlib.Path, help="file to write")
  parser.add_argument("--only", default="", help="rows with this in the name")
  parser.add_argument("--seconds", type=float, default=2.0, help="for a timing")
  options = parser.parse_args()
  rows = [row for row in (*ROWS, *MODULE_ROWS) if options.only in row.name]
  if not rows:
    parser.error(f"no row has {options.only!r} in its name.")
  print(f"{'':52}{'forward ms':>25}{'forward + backward ms':>26}{'MiB':>15}")
  sides = f"{'ours':>8}{'torch':>9}{'ratio':>8}"
  print(f"{'':52}{sides} {sides}{'peak':>8}{'needed':>8}{'2 T':>8}")
  results = []
  for row in rows:
    results.append(measure(row, options.seconds))
    print(_line(results[-1]), flush=True)
  ratios = [r[k]["ratio"] for r in results for k in ("forward", "forward_backward")]
  print(f"median ratio {statistics.median(ratios):.2f}x, least {min(ratios):.2f}x")
  if options.json:
    report = {"machine": machine.describe(), "rows": results}
    text = json.dumps(report, indent=1)
    options.json.write_text(text + "\n")


if __name__ == "__main__":
  main()
