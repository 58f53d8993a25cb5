r"""Times networks against the same networks in torch.

  GLIBC_TUNABLES=glibc.malloc.hugetlb=1 \
    python -m benchmarks.networks [PATTERN ...] [--json FILE] [--seconds S]

Inference and a training step (forward, loss and gradients) of the catalog's
networks that match a shell pattern, at the sizes they were published with, both
libraries in one process, in turns, with the same weights. Printed are medians
in milliseconds and the median ratio (above 1: ours is faster), inference with
batch norms folded too, the seconds to trace and compile ours, how far apart the
outputs are, and the loss and the norm of its gradients, and the share that
inference reaches of the multiply-adds a second of one large matrix product.
What the torch side is stands in the JSON file.

On CPU torch runs eagerly. On a GPU it is compiled by torch.compile, all is
measured in float32 (products as TensorFloat-32) and in bfloat16, and
XLA_PYTHON_CLIENT_PREALLOCATE=false leaves torch its memory.

  python -m benchmarks.networks --compile-only atm_vit_l14 vit_l14 --frames 16

only compiles inference, of shapes, and prints the seconds.
"""

import argparse
import fnmatch
import functools
import json
import pathlib
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch
import transformers

from benchmarks.cases.networks import NETWORKS, Network
from benchmarks.shared import machine, timing
from benchmarks.shared import network_sides as sides
from benchmarks.shared import print_results as model_table
from temporal_jax import create_model
from temporal_jax.models import find_model
from temporal_jax.models.inspect import count


def measure(
  row: Network,
  dtype: str = "float32",
  *,
  seconds: float = 2.0,
  batch: int = 1,
  clip_shape: tuple[int, int, int] | None = None,
  train: bool = True,
) -> dict[str, Any]:
  """Measures one network and checks that both compute the same.

  Without `train` what is said of training is None.

  Raises:
    ValueError: If outputs, losses or gradients differ.
  """
  clip_shape = clip_shape or find_model(row.key).clip_shape
  rng = np.random.default_rng(0)
  clip = rng.standard_normal((batch, *clip_shape, 3), np.float32)
  compiled = torch.cuda.is_available()
  network = sides.build(row)
  mine = sides.ours(row, network, clip, dtype, train=train)
  other = sides.theirs(row, network, clip, dtype, compiled=compiled)
  difference = sides.difference(mine.inference.run(), other.inference())
  if mine.folded:
    folded = sides.difference(mine.folded.run(), other.inference())
    difference = max(difference, folded)
  gradients = mine.training and sides.training_difference(
    mine.training.run(), other.training()
  )
  tolerance = _tolerance(dtype)
  if not (difference < tolerance and (gradients or 0) < 10 * tolerance):
    raise ValueError(
      f"{row.name}: outputs differ by {difference:.1e}, loss and gradients by "
      f"{gradients or 0:.1e}."
    )

  def times(run, theirs):
    return timing.side_by_side(
      run, theirs, seconds=seconds, turns=(3, 20), repeats=1
    )._asdict()

  result = {
    "name": row.name,
    "dtype": dtype,
    "torch": ("torch.compile of " if compiled else "eager ") + row.form,
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
  result["multiply_adds"] = _multiply_adds(row, clip)
  rate = result["multiply_adds"] / fastest
  return result | {"share_of_matmul": rate / machine.matmul_rate(dtype)}


def _tolerance(dtype: str) -> float:
  """Returns the most that outputs may differ; parity is the tests' matter.

  Gradients may ten times as much: 1e-6 on the clip changes the norm of those of
  a random ResNet by 2e-3.
  """
  if dtype == "bfloat16":
    return 0.3
  on_cpu = jax.default_backend() == "cpu"
  return 1e-3 if on_cpu else 5e-2  # TF32 elsewhere.


def _multiply_adds(row: Network, clip: np.ndarray) -> int:
  model = create_model(row.key, **row.kwargs)
  clip = jax.ShapeDtypeStruct(clip.shape, clip.dtype)
  variables = jax.eval_shape(model.init, jax.random.key(0), clip)
  return count.multiply_adds(model.apply, variables, clip)


def compile_only(name: str, dtype: str, frames: int | None) -> dict[str, Any]:
  """Compiles the inference of a network of the catalog, of shapes alone."""
  clip_shape = find_model(name).clip_shape
  shape = (1, frames or clip_shape[0], *clip_shape[1:], 3)
  model = create_model(name, num_classes=400, dtype=jnp.dtype(dtype))
  clip = jax.ShapeDtypeStruct(shape, jnp.float32)
  variables = jax.eval_shape(model.init, jax.random.key(0), clip)
  compiled = sides.compile_ahead(
    lambda variables, clip: model.apply(variables, clip)[0], variables, clip
  )
  return {
    "name": name,
    "dtype": dtype,
    "clip": shape,
    "compile_seconds": {"inference": compiled.seconds},
  }


def _options() -> argparse.Namespace:
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  add = parser.add_argument
  add("patterns", nargs="*", metavar="PATTERN", help="networks; all by default")
  add("--json", type=pathlib.Path, help="file to write")
  add("--seconds", type=float, default=2.0, help="for a timing")
  add("--batch", type=int, default=1, help="clips")
  add("--dtype", nargs="+", choices=["float32", "bfloat16"], dest="dtypes")
  add("--compile-only", nargs="+", metavar="NAME", help="networks")
  add("--inference", action="store_true", help="no training steps")
  add("--frames", type=int, help="of what is only compiled")
  options = parser.parse_args()
  if not options.dtypes:
    on_cpu = jax.default_backend() == "cpu"
    options.dtypes = ["float32"] if on_cpu else ["float32", "bfloat16"]
  return options


def _jobs(options: argparse.Namespace) -> list[tuple[str, Callable]]:
  """Returns names, and functions of the dtype that measure."""
  if options.compile_only:
    only = functools.partial(compile_only, frames=options.frames)
    return [(n, functools.partial(only, n)) for n in options.compile_only]
  settings = {
    "seconds": options.seconds,
    "batch": options.batch,
    "train": not options.inference,
  }
  return [
    (row.name, functools.partial(measure, row, **settings))
    for row in NETWORKS
    if any(fnmatch.fnmatch(row.name, p) for p in options.patterns or ["*"])
  ]


def main() -> None:
  """Measures, prints the table and writes the JSON file after every row.

  What fails is told, and the rest goes on.

  Raises:
    SystemExit: In the end, if something failed.
  """
  options = _options()
  if torch.cuda.is_available():  # As XLA does by itself.
    torch.set_float32_matmul_precision("high")
  about = machine.describe() | {"transformers": transformers.__version__}
  if not options.compile_only:
    print(model_table.HEADER)
  results = []
  for name, job in _jobs(options):
    for dtype in options.dtypes:
      try:
        results.append(job(dtype=dtype))
      except (RuntimeError, ValueError) as error:
        results.append({"name": name, "dtype": dtype, "error": str(error)})
      print(model_table.line(results[-1]), flush=True)
      if options.json:
        text = json.dumps({"machine": about, "rows": results}, indent=1)
        options.json.write_text(text + "\n")
      sides.forget()
  if any("error" in result for result in results):
    raise SystemExit(1)


if __name__ == "__main__":
  main()
