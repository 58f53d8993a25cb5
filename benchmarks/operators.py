r"""Times operators against the torch code of their authors.

  GLIBC_TUNABLES=glibc.malloc.hugetlb=1 \
    python -m benchmarks.operators [--json FILE] [--only TEXT] [--seconds S]

Both run in one process, in turns, at the sizes of the papers' networks:
forward, and forward with gradients. The table has medians in milliseconds, the
median ratio (above 1: ours is faster), the peak memory of ours, the memory that
inputs, output and the paper's formula need, and the cost of twice the frames.
Huge pages make the first touch of large results cheaper for both (glibc on
Linux).

For operators with linear cost, the doubling starts from as many frames as fill
128 MiB: with fewer frames, leaving the caches would be timed.
"""

import math
import statistics

import einops
import jax
import numpy as np
import torch

from benchmarks.cases.modules import MODULES
from benchmarks.cases.operator_case import OperatorCase
from benchmarks.cases.operators import OPERATORS
from benchmarks.shared import machine, results, timing

_UNCACHED = 2**27  # Bytes, more than the caches hold.


def measure(case: OperatorCase, seconds: float) -> dict:
  """Measures one case and checks that both compute the same.

  Raises:
    ValueError: If the outputs differ.
  """
  arrays = _arrays(case, case.frames)
  official = [
    einops.rearrange(array, spec.pattern)
    for array, spec in zip(arrays, case.arrays(case.frames), strict=True)
  ]

  def theirs(*tensors: torch.Tensor) -> torch.Tensor:
    return case.theirs(*tensors, frames=case.frames)

  mine = timing.jax_runners(case.ours, arrays)
  other = timing.torch_runners(theirs, official)
  _check_equal(case, mine[0](), other[0]())
  forward = timing.side_by_side(mine[0], other[0], seconds=seconds)
  both = timing.side_by_side(mine[1], other[1], seconds=seconds)
  memory = jax.jit(case.ours).lower(*arrays).compile().memory_analysis()
  inputs_output = memory.argument_size_in_bytes + memory.output_size_in_bytes
  peak = inputs_output + memory.temp_size_in_bytes
  return {
    "name": case.name,
    "forward": forward._asdict(),
    "forward_backward": both._asdict(),
    "peak_bytes": peak,
    "needed_bytes": inputs_output + 4 * case.scratch(case.frames),
    "twice_the_frames": _doubling(case, peak, seconds),
    "linear": case.linear,
  }


def _doubling(case: OperatorCase, peak: int, seconds: float) -> float:
  """Returns the relative cost of forward and backward with twice the frames."""
  frames = case.frames
  if case.linear:
    frames *= 2 ** max(0, math.ceil(math.log2(_UNCACHED / peak)))
  once, twice = (
    timing.jax_runners(case.ours, _arrays(case, count))[1]
    for count in (frames, 2 * frames)
  )
  return timing.side_by_side(once, twice, seconds=seconds).ratio


def _arrays(case: OperatorCase, frames: int) -> list[np.ndarray]:
  rng = np.random.default_rng(0)
  return [rng.standard_normal(array.shape, np.float32) for array in case.arrays(frames)]


def _check_equal(case: OperatorCase, ours: jax.Array, theirs: torch.Tensor) -> None:
  found = einops.rearrange(np.asarray(ours), case.out)
  wanted = theirs.detach().cpu().numpy().reshape(found.shape)
  error = np.linalg.norm(found - wanted) / np.linalg.norm(wanted)
  if not error < 1e-2:  # TF32 on a GPU; the tests check parity.
    raise ValueError(f"{case.name}: the outputs differ by {error:.1e}.")


_COLUMNS = (
  "operator",
  "forward ms",
  "torch ms",
  "ratio",
  "and backward ms",
  "torch ms",
  "ratio",
  "peak MiB",
  "needed MiB",
  "twice T",
)


def _cells(result: dict) -> tuple[str, ...]:
  return (
    result["name"],
    *results.time_cells(result["forward"]),
    *results.time_cells(result["forward_backward"]),
    f"{result['peak_bytes'] / 2**20:.1f}",
    f"{result['needed_bytes'] / 2**20:.1f}",
    f"{result['twice_the_frames']:.2f}x",
  )


def main(argv: list[str] | None = None) -> None:
  """Measures, prints the table and writes the JSON file."""
  parser = results.create_parser(__doc__)
  parser.add_argument("--only", default="", help="text in the names of cases")
  parser.add_argument("--seconds", type=float, default=2.0, help="per timing")
  options = parser.parse_args(argv)
  cases = [case for case in (*OPERATORS, *MODULES) if options.only in case.name]
  if not cases:
    parser.error(f"no case has {options.only!r} in its name.")
  table = results.ResultTable(_COLUMNS, name_width=52)
  rows = []
  for case in cases:
    rows.append(measure(case, options.seconds))
    table.add(*_cells(rows[-1]))
  ratios = [
    row[kind]["ratio"] for row in rows for kind in ("forward", "forward_backward")
  ]
  print(f"median ratio {statistics.median(ratios):.2f}x, least {min(ratios):.2f}x")
  results.write_json(options.json, {"machine": machine.describe(), "rows": rows})


if __name__ == "__main__":
  main()
