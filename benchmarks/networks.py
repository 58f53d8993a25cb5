r"""Times networks against the same networks in torch.

  GLIBC_TUNABLES=glibc.malloc.hugetlb=1 \
    python -m benchmarks.networks [PATTERN ...] [--json FILE] [--seconds S]

Inference and a training step (forward, loss and gradients) of the catalog's
networks that match a shell pattern, at the sizes they were published with. Both
libraries run in one process, in turns, with the same weights. The table has
medians in milliseconds and median ratios (above 1: ours is faster), also of
inference with batch norms folded; the seconds to trace and compile ours; the
differences of outputs, and of loss and gradient norm; and inference's
multiply-adds per second as a share of one large matrix product's. The JSON file
also describes torch's side.

By default torch runs eagerly on a CPU, and compiled by torch.compile on a GPU.
There networks are measured in float32 (products in TensorFloat-32) and in
bfloat16, XLA_PYTHON_CLIENT_PREALLOCATE=false leaves memory for torch, and if
the GPU's peak is known the table has the share of it that inference reaches.

  python -m benchmarks.networks --compile-only atm_vit_l14 vit_l14 --frames 16

only compiles inference, from shapes, and prints the seconds.
"""

import argparse
import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch
import transformers

from benchmarks.cases.networks import NetworkCase, find_cases, find_clip_shape
from benchmarks.shared import (
  machine,
  network_sides,
  results,
  timing,
  torch_device,
)
from temporal_jax import create_model
from temporal_jax.models.inspect import count


def measure(
  case: NetworkCase,
  dtype: str = "float32",
  *,
  compiled: bool = False,
  seconds: float = 2.0,
  batch: int = 1,
  clip_shape: tuple[int, int, int] | None = None,
  train: bool = True,
) -> dict[str, Any]:
  """Measures one network and checks that both compute the same.

  With `compiled`, torch's side uses torch.compile. Without `train`, the results
  of training are None.

  Raises:
    ValueError: If outputs, losses or gradients differ.
  """
  clip_shape = clip_shape or find_clip_shape(case.key)
  rng = np.random.default_rng(0)
  clip = rng.standard_normal((batch, *clip_shape, 3), np.float32)
  network = network_sides.build(case)
  mine = network_sides.ours(case, network, clip, dtype, train=train)
  other = network_sides.theirs(case, network, clip, dtype, compiled=compiled)
  difference = network_sides.difference(mine.inference.run(), other.inference())
  if mine.folded:
    folded = network_sides.difference(mine.folded.run(), other.inference())
    difference = max(difference, folded)
  gradients = mine.training and network_sides.training_difference(
    mine.training.run(), other.training()
  )
  tolerance = _tolerance(dtype)
  if not (difference < tolerance and (gradients or 0) < 10 * tolerance):
    raise ValueError(
      f"{case.name}: outputs differ by {difference:.1e}, loss and gradients by "
      f"{gradients or 0:.1e}."
    )

  def times(run, theirs):
    return timing.side_by_side(
      run, theirs, seconds=seconds, turns=(3, 20), repeats=1
    )._asdict()

  result = {
    "name": case.name,
    "dtype": dtype,
    "torch": ("torch.compile of " if compiled else "eager ") + case.description,
    "clip": clip.shape,
    "inference": times(mine.inference.run, other.inference),
    "folded": mine.folded and times(mine.folded.run, other.inference),
    "training": mine.training and times(mine.training.run, other.training),
    "compile_seconds": {
      "inference": mine.inference.seconds,
      "training": mine.training and mine.training.seconds,
    },
    "difference": difference,
    "gradient_difference": gradients,
  }
  fastest = (result["folded"] or result["inference"])["ours"] / 1e3
  result["multiply_adds"] = _multiply_adds(case, clip)
  rate = result["multiply_adds"] / fastest
  return result | {
    "share_of_matmul": rate / machine.matmul_rate(dtype),
    "share_of_peak": machine.share_of_peak(
      fastest, dtype, multiply_adds=result["multiply_adds"]
    ),
  }


def _tolerance(dtype: str) -> float:
  """Returns the largest allowed difference of outputs.

  Gradients may differ ten times as much: a change of the clip by 1e-6 changes
  the gradient norm of a random ResNet by 2e-3. The tests check parity.
  """
  if dtype == "bfloat16":
    return 0.3
  on_cpu = jax.default_backend() == "cpu"
  return 1e-3 if on_cpu else 5e-2  # TF32 elsewhere.


def _multiply_adds(case: NetworkCase, clip: np.ndarray) -> int:
  model = create_model(case.key, **case.kwargs)
  clip = jax.ShapeDtypeStruct(clip.shape, clip.dtype)
  variables = jax.eval_shape(model.init, jax.random.key(0), clip)
  apply = functools.partial(model.apply, **case.inputs)
  return count.multiply_adds(apply, variables, clip)


def compile_only(
  name: str, dtype: str, frames: int | None, side: int | None
) -> dict[str, Any]:
  """Compiles the inference of a network of the catalog, from shapes."""
  shape = (1, *find_clip_shape(name, frames, side), 3)
  model = create_model(name, num_classes=400, dtype=jnp.dtype(dtype))
  clip = jax.ShapeDtypeStruct(shape, jnp.float32)
  variables = jax.eval_shape(model.init, jax.random.key(0), clip)
  compiled = network_sides.compile_ahead(
    lambda variables, clip: model.apply(variables, clip)[0], variables, clip
  )
  return {
    "name": name,
    "dtype": dtype,
    "clip": shape,
    "compile_seconds": {"inference": compiled.seconds},
  }


def _options(argv: list[str] | None) -> argparse.Namespace:
  parser = results.create_parser(__doc__)
  add = parser.add_argument
  add("patterns", nargs="*", metavar="PATTERN", help="networks; all by default")
  add("--seconds", type=float, default=2.0, help="per timing")
  add("--batch", type=int, default=1, help="clips")
  add("--dtype", nargs="+", choices=["float32", "bfloat16"], dest="dtypes")
  add("--compile-only", nargs="+", metavar="NAME", help="networks")
  add("--inference", action="store_true", help="no training steps")
  add("--torch", choices=["eager", "compiled"])
  add("--frames", type=int, help="frames of a clip, instead of the usual")
  add("--side", type=int, help="pixels of a frame, instead of the usual ones")
  options = parser.parse_args(argv)
  if not options.dtypes:
    on_cpu = jax.default_backend() == "cpu"
    options.dtypes = ["float32"] if on_cpu else ["float32", "bfloat16"]
  options.torch = options.torch or torch_device.default_mode()
  try:
    options.cases = find_cases(options.patterns)
  except ValueError as error:
    parser.error(str(error))
  return options


def _jobs(options: argparse.Namespace) -> list[tuple[str, Callable]]:
  """Returns names, and functions that measure with a dtype."""
  if options.compile_only:
    only = functools.partial(compile_only, frames=options.frames, side=options.side)
    return [(n, functools.partial(only, n)) for n in options.compile_only]
  settings = {
    "compiled": options.torch == "compiled",
    "seconds": options.seconds,
    "batch": options.batch,
    "train": not options.inference,
  }

  def job(case: NetworkCase) -> Callable:
    shape = find_clip_shape(case.key, options.frames, options.side)
    return functools.partial(measure, case, clip_shape=shape, **settings)

  return [(case.name, job(case)) for case in options.cases]


_COLUMNS = (
  "network",
  "dtype",
  "inference ms",
  "torch ms",
  "ratio",
  "folded ms",
  "torch ms",
  "ratio",
  "training ms",
  "torch ms",
  "ratio",
  "compile s",
  "training s",
  "difference",
  "gradients",
  "of matmul",
  "of peak",
)


def result_cells(result: dict[str, Any]) -> tuple[str, ...]:
  """Returns the cells of a result of `measure`."""
  seconds, gradients = result["compile_seconds"], result["gradient_difference"]
  return (
    result["name"],
    result["dtype"],
    *results.time_cells(result["inference"]),
    *results.time_cells(result["folded"]),
    *results.time_cells(result["training"]),
    f"{seconds['inference']:.1f}",
    "-" if seconds["training"] is None else f"{seconds['training']:.1f}",
    f"{result['difference']:.0e}",
    "-" if gradients is None else f"{gradients:.0e}",
    f"{result['share_of_matmul']:.0%}",
    results.share_cell(result["share_of_peak"]),
  )


def main(argv: list[str] | None = None) -> None:
  """Measures, prints the table and writes the JSON file after every row.

  Failures are reported; the remaining rows still run.

  Raises:
    SystemExit: In the end, if a row failed.
  """
  options = _options(argv)
  if torch.cuda.is_available():  # XLA does so by default.
    torch.set_float32_matmul_precision("high")
  about = machine.describe() | {"transformers": transformers.__version__}
  if options.compile_only:
    table = results.ResultTable(("network", "dtype", "compile s"))
  else:
    table = results.ResultTable(_COLUMNS)
  rows = []
  for name, job in _jobs(options):
    for dtype in options.dtypes:
      try:
        row = job(dtype=dtype)
      except (RuntimeError, ValueError) as error:
        row = {"name": name, "dtype": dtype, "error": str(error)}
        print(f"{name} {dtype} failed: {error}", flush=True)
      else:
        if options.compile_only:
          table.add(name, dtype, f"{row['compile_seconds']['inference']:.1f}")
        else:
          table.add(*result_cells(row))
      rows.append(row)
      results.write_json(options.json, {"machine": about, "rows": rows})
      network_sides.free_memory()
  if any("error" in row for row in rows):
    raise SystemExit(1)


if __name__ == "__main__":
  main()
