r"""Times operators against the torch code of their authors.

  GLIBC_TUNABLES=glibc.malloc.hugetlb=1 \
    python -m benchmarks.operators [--json FILE] [--only TEXT ...] [--seconds S]

Both run in one process, in turns, at the sizes of the papers' networks:
forward, and forward with gradients. The table has medians in milliseconds, the
median ratio (above 1: ours is faster), the peak memory of ours, the memory that
inputs, output and the paper's formula need, and the cost of twice the frames.
Huge pages make the first touch of large results cheaper for both (glibc on
Linux).

For operators with linear cost, the doubling starts from as many frames as fill
128 MiB: with fewer frames, leaving the caches would be timed.

On a GPU whose peak is known the table also has the share of it: the time in
which the chip could do the multiply-adds of the authors' formulation, or read
inputs and write the output, over the time of ours. With gradients these are
three times the multiply-adds and twice the bytes. A run should then be several
calls of several clips, and needs no doubling:

  XLA_PYTHON_CLIENT_PREALLOCATE=false python -m benchmarks.operators \
    --dtype bfloat16 --torch compiled --batch 8 --calls 10 --no-doubling
"""

import argparse
import math
import statistics
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import einops
import jax
import jax.numpy as jnp
import numpy as np
import torch

from benchmarks.cases.modules import MODULES
from benchmarks.cases.operator_case import Array, OperatorCase
from benchmarks.cases.operators import OPERATORS
from benchmarks.compiled import operators as compiled_operators
from benchmarks.shared import machine, network_sides, results, timing

_UNCACHED = 2**27  # Bytes, more than the caches hold.

# Largest relative difference: float32 is TF32 on a GPU, and logits of random
# weights make attention sensitive to bfloat16. The tests check parity.
_TOLERANCES = MappingProxyType({"float32": 1e-2, "bfloat16": 0.3})


def measure(
  case: OperatorCase,
  seconds: float,
  *,
  dtype: str = "float32",
  compiled: bool = False,
  batch: int = 1,
  calls: int = 1,
  doubling: bool = True,
) -> dict[str, Any]:
  """Measures one case and checks that both compute the same.

  Args:
    case: The operator.
    seconds: Seconds for each timing.
    dtype: Dtype of all arrays.
    compiled: Whether torch's side uses torch.compile.
    batch: Clips, B.
    calls: Calls of each run, see `timing.side_by_side`.
    doubling: Whether twice the frames are timed, else None.

  Raises:
    ValueError: If the outputs differ.
  """
  specs = case.arrays_of(case.frames, batch)
  arrays = _draw(specs)
  official = [
    einops.rearrange(array, spec.pattern)
    for array, spec in zip(arrays, specs, strict=True)
  ]

  def theirs(*tensors: torch.Tensor) -> torch.Tensor:
    return case.theirs(*tensors, frames=case.frames)

  mine = timing.jax_runners(case.ours, arrays, dtype=dtype, calls=calls)
  other = timing.torch_runners(
    theirs, official, dtype=dtype, compiled=compiled, calls=calls
  )
  _check_equal(case, mine[0](), other[0](), dtype)
  forward, both = (
    timing.side_by_side(*pair, seconds=seconds, calls=calls)
    for pair in zip(mine, other, strict=True)
  )
  shapes = [jax.ShapeDtypeStruct(array.shape, jnp.dtype(dtype)) for array in arrays]
  memory = jax.jit(case.ours).lower(*shapes).compile().memory_analysis()
  inputs_output = memory.argument_size_in_bytes + memory.output_size_in_bytes
  peak = inputs_output + memory.temp_size_in_bytes
  scratch = jnp.dtype(dtype).itemsize * batch * case.scratch(case.frames)
  multiply_adds = compiled_operators.multiply_adds(case, batch)
  shares = [
    machine.share_of_peak(
      times.ours / 1e3,
      dtype,
      multiply_adds=products * multiply_adds,
      moved=passes * inputs_output,
    )
    for times, products, passes in ((forward, 1, 1), (both, 3, 2))
  ]
  return {
    "name": case.name,
    "dtype": dtype,
    "torch": "compiled" if compiled else "eager",
    "batch": batch,
    "forward": forward._asdict(),
    "forward_backward": both._asdict(),
    "share_of_peak": dict(zip(("forward", "forward_backward"), shares, strict=True)),
    "peak_bytes": peak,
    "needed_bytes": inputs_output + scratch,
    "twice_the_frames": _doubling(case, peak, seconds) if doubling else None,
    "linear": case.linear,
  }


def _doubling(case: OperatorCase, peak: int, seconds: float) -> float:
  """Returns the relative cost of forward and backward with twice the frames."""
  frames = case.frames
  if case.linear:
    frames *= 2 ** max(0, math.ceil(math.log2(_UNCACHED / peak)))
  once, twice = (
    timing.jax_runners(case.ours, _draw(case.arrays(length)))[1]
    for length in (frames, 2 * frames)
  )
  return timing.side_by_side(once, twice, seconds=seconds).ratio


def _draw(specs: Sequence[Array]) -> list[np.ndarray]:
  rng = np.random.default_rng(0)
  return [rng.standard_normal(spec.shape, np.float32) for spec in specs]


def _check_equal(
  case: OperatorCase, ours: jax.Array, theirs: torch.Tensor, dtype: str
) -> None:
  found = einops.rearrange(np.asarray(ours, np.float32), case.out)
  wanted = theirs.detach().float().cpu().numpy().reshape(found.shape)
  error = np.linalg.norm(found - wanted) / np.linalg.norm(wanted)
  if not error < _TOLERANCES[dtype]:
    raise ValueError(f"{case.name}: the outputs differ by {error:.1e}.")


_COLUMNS = (
  "operator",
  "forward ms",
  "torch ms",
  "ratio",
  "of peak",
  "and backward ms",
  "torch ms",
  "ratio",
  "of peak",
  "peak MiB",
  "needed MiB",
  "twice T",
)


def _cells(result: Mapping[str, Any]) -> tuple[str, ...]:
  shares, doubled = result["share_of_peak"], result["twice_the_frames"]
  return (
    result["name"],
    *results.time_cells(result["forward"]),
    results.share_cell(shares["forward"]),
    *results.time_cells(result["forward_backward"]),
    results.share_cell(shares["forward_backward"]),
    f"{result['peak_bytes'] / 2**20:.1f}",
    f"{result['needed_bytes'] / 2**20:.1f}",
    "-" if doubled is None else f"{doubled:.2f}x",
  )


def _options(argv: list[str] | None) -> argparse.Namespace:
  parser = results.create_parser(__doc__)
  add = parser.add_argument
  add(
    "--only", nargs="+", default=[""], metavar="TEXT", help="text in the names of cases"
  )
  add("--seconds", type=float, default=2.0, help="per timing")
  add("--dtype", choices=["float32", "bfloat16"], default="float32")
  add("--torch", choices=["eager", "compiled"], default="eager")
  add("--batch", type=int, default=1, help="clips")
  add("--calls", type=int, default=1, help="calls of each timed run")
  add("--no-doubling", action="store_true", help="do not time twice the frames")
  options = parser.parse_args(argv)
  found = {}  # In the order of the texts.
  for text in options.only:
    fitting = {c.name: c for c in (*OPERATORS, *MODULES) if text in c.name}
    if not fitting:
      parser.error(f"no case has {text!r} in its name.")
    found |= fitting
  options.cases = [*found.values()]
  return options


def main(argv: list[str] | None = None) -> None:
  """Measures, prints the table and writes the JSON file after every row.

  Failures are reported; the remaining rows still run.

  Raises:
    SystemExit: In the end, if a row failed.
  """
  options = _options(argv)
  about = machine.describe()
  table = results.ResultTable(_COLUMNS, name_width=52)
  rows = []
  for case in options.cases:
    try:
      row = measure(
        case,
        options.seconds,
        dtype=options.dtype,
        compiled=options.torch == "compiled",
        batch=options.batch,
        calls=options.calls,
        doubling=not options.no_doubling,
      )
    except (RuntimeError, TypeError, ValueError) as error:
      row = {"name": case.name, "error": str(error)}
      print(f"{case.name} failed: {error}", flush=True)
    else:
      table.add(*_cells(row))
    rows.append(row)
    results.write_json(options.json, {"machine": about, "rows": rows})
    network_sides.free_memory()
  ratios = [
    row[kind]["ratio"]
    for row in rows
    if "error" not in row
    for kind in ("forward", "forward_backward")
  ]
  if ratios:
    print(f"median ratio {statistics.median(ratios):.2f}x, least {min(ratios):.2f}x")
  if any("error" in row for row in rows):
    raise SystemExit(1)


if __name__ == "__main__":
  main()
