r"""All that a GPU must show, in less than nine minutes: one command, one file.

  make on-gpu, or
  python -m benchmarks.on_gpu [--golden DIR] [--wheels DIR] [--commit TEXT]
  python -m benchmarks.on_gpu --dry-run  # Tiny sizes on a CPU.

Parts are processes of their own with limits of their own; the time that one
leaves goes to those after it. What a part has measured is kept when it fails or
its limit ends it, and the others still run. The JSON file,
benchmarks/results/on_gpu.json by default, is written after every part; then
`make docs` writes the page.

{parts}

The machine needs no network, Python 3.11 or newer, and these packages: absl-py,
av, einops, flax, jax (below 0.12, with CUDA), matplotlib, optax,
orbax-checkpoint, Pillow, rich, safetensors, torch, transformers. --wheels names
a folder with those it lacks; they are unpacked to a temporary folder. Where
the others are there, only av is needed, for a machine with Python 3.12:

  pip download --no-deps --only-binary=:all: --python-version 3.12 \
    --platform manylinux_2_28_x86_64 --platform manylinux_2_17_x86_64 \
    --dest DIR "av<19"

A machine without a clone does not know the commit: --commit names it.
"""

import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from benchmarks.shared import limited_processes, provenance

_ROOT = pathlib.Path(__file__).parents[1]
_RESULTS = _ROOT / "benchmarks" / "results" / "on_gpu.json"
_GOLDEN = _ROOT / "tests" / "golden" / "cases"
_SECONDS = 525  # Nine minutes, without what starting and ending takes.
# Papers' operators first; what its limit does not allow is left out.
_OPERATORS = (
  "correlation 14x14",
  "window encoder",
  "spatial attention",
  "space-time mixing",
  "temporal attention",
  "adaptive convolution in",
  "convolution 7x7",
  "shift",
  "aggregation",
  "alignment",
  "embedding",
  "domain transformation",
  "interaction of pairs",
  "route",
  "pooling",
)
_NETWORKS = (
  "vit_b16",
  "atm_vit_b16",
  "tada2d_resnet50",
  "xvit_b16",
  "tadaformer_b16",
  "blvnet_tam_50",
  "resnet50",
)


# A CPU is slow in bfloat16.
_SMALL = (
  *("--dtype", "float32", "--batch", "2"),
  *("--frames", "2", "--side", "32", "--seconds", "0"),
)


class Part(NamedTuple):
  """A part of the measurement.

  Attributes:
    name: Its name.
    seconds: Its share of the time; all shares together are `_SECONDS`.
    module: Module that measures, and writes a JSON file with --json.
    arguments: Its arguments.
    small: Its arguments at tiny sizes.
    tuned: Whether XLA tries several kernels to find the fastest.
  """

  name: str
  seconds: int
  module: str
  arguments: Sequence[str] = ()
  small: Sequence[str] = ()
  tuned: bool = True


def _golden(dtype: str) -> Part:
  workers = str(os.cpu_count())
  return Part(
    name=f"golden figures, {dtype}",
    seconds=60,
    module="tests.golden.check",
    arguments=("--dtype", dtype, "--workers", workers),
    small=("--dtype", dtype, "--only", "tam_r3", "tsm_shift"),
    tuned=False,
  )


def _operators(mode: str, seconds: int) -> Part:
  sizes = ("--dtype", "bfloat16", "--torch", mode, "--no-doubling")
  return Part(
    name=f"operators, {mode} torch",
    seconds=seconds,
    module="benchmarks.operators",
    arguments=(
      *sizes,
      *("--batch", "8", "--calls", "10", "--seconds", "0.3"),
      *("--only", *_OPERATORS),
    ),
    small=(
      *(*sizes, "--calls", "2", "--seconds", "0"),
      *("--only", "difference cues", "class token"),
    ),
  )


def _networks(mode: str, seconds: int) -> Part:
  kind = ("--inference", "--torch", mode)
  return Part(
    name=f"networks, {mode} torch",
    seconds=seconds,
    module="benchmarks.networks",
    arguments=(
      *(*_NETWORKS, *kind, "--dtype", "bfloat16"),
      *("--batch", "8", "--seconds", "0.5"),
    ),
    small=("resnet18", *kind, *_SMALL),
  )


def _step(mode: str, seconds: int) -> Part:
  kind = ("--parts", "steps", "--torch", mode)
  return Part(
    name=f"training step, {mode} torch",
    seconds=seconds,
    module="benchmarks.training",
    arguments=(
      *(*kind, "--networks", "vit_l14", "--dtype", "bfloat16"),
      *("--batch", "8", "--seconds", "2"),
    ),
    small=(*kind, "--networks", "resnet18", *_SMALL),
  )


# Parts of one stage run at the same time: they measure no times.
STAGES = (
  (Part("chip", seconds=20, module="benchmarks.chip"),),
  (
    _golden("float32"),
    _golden("bfloat16"),
    Part(
      name="memory",
      seconds=60,
      module="benchmarks.memory",
      arguments=("vit_l14", "--batch", "8"),
      small=("resnet18", "--batch", "2", "--frames", "2", "--side", "32"),
      tuned=False,
    ),
  ),
  (_operators("eager", 90),),
  (_operators("compiled", 80),),
  (_networks("eager", 75),),
  (_networks("compiled", 75),),
  (_step("eager", 60),),
  (_step("compiled", 65),),
)
_NAMES = tuple(part.name for stage in STAGES for part in stage)


def main(argv: list[str] | None = None) -> int:
  """Runs the parts and writes the JSON file; returns 1 if a part failed."""
  options = _options(argv)
  signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # Ends what was started.
  with tempfile.TemporaryDirectory() as folder:
    environment = _environment(options, pathlib.Path(folder))
    return _run(options, pathlib.Path(folder), environment)


def _run(
  options: argparse.Namespace, folder: pathlib.Path, environment: Mapping[str, str]
) -> int:
  """Runs stage by stage."""
  deadline = time.monotonic() + options.seconds
  stages = [[part for part in stage if part.name in options.parts] for stage in STAGES]
  stages = [stage for stage in stages if stage]
  report: dict[str, Any] = {
    "measured": provenance.describe() | options.commit,
    "machine": {},
    "dry": options.dry_run,
    "parts": [],
  }
  for number, stage in enumerate(stages):
    left = sum(rest[0].seconds for rest in stages[number:])
    limit = (deadline - time.monotonic()) * stage[0].seconds / left
    report["parts"] += _run_stage(stage, limit, options, folder, environment)
    for part in report["parts"]:
      report["machine"] |= part["report"].get("machine", {})
    if options.json:
      options.json.write_text(json.dumps(report, indent=1) + "\n")
    platform = report["machine"].get("platform", "gpu")
    if platform != "gpu" and not options.dry_run:
      print(f"jax sees no GPU, only {platform}; --dry-run goes without one.")
      return 1
  for part in report["parts"]:
    rows = len(_rows(part["report"]))
    print(f"{part['name']}: {part['status']}, {part['seconds']:.0f} s, {rows} rows")
  return int(any(part["status"] != "ok" for part in report["parts"]))


def _run_stage(
  stage: Sequence[Part],
  limit: float,
  options: argparse.Namespace,
  folder: pathlib.Path,
  environment: Mapping[str, str],
) -> list[dict[str, Any]]:
  """Runs the parts of a stage at the same time and returns what they found."""
  files = [folder / f"{part.name.replace(' ', '_')}.json" for part in stage]
  jobs = [
    limited_processes.Job(
      words=_command(part, file, options),
      settings=_xla_flags(part, options.dry_run),
      output=file.with_suffix(".txt"),
    )
    for part, file in zip(stage, files, strict=True)
  ]
  print(f"--- {', '.join(part.name for part in stage)}: {limit:.0f} s", flush=True)
  ended = limited_processes.run(jobs, limit, folder=_ROOT, environment=environment)
  found = []
  for part, file, job, end in zip(stage, files, jobs, ended, strict=True):
    output = job.output.read_text(errors="replace")
    print(f"--- {part.name}: {end.status} after {end.seconds:.0f} s")
    print(output, flush=True)
    found.append(
      {
        "name": part.name,
        "status": end.status,
        "seconds": end.seconds,
        "limit": limit,
        "report": _read(file),
        "output": "" if end.status == "ok" else output[-2000:],
      }
    )
  return found


def _command(part: Part, file: pathlib.Path, options: argparse.Namespace) -> list[str]:
  words = [sys.executable, "-u", "-m", part.module]
  if part.module == "tests.golden.check":
    words.append(str(options.golden.resolve()))
  arguments = part.small if options.dry_run else part.arguments
  return [*words, *arguments, "--json", str(file)]


def _xla_flags(part: Part, dry_run: bool) -> dict[str, str]:
  flags = [os.environ.get("XLA_FLAGS", "")]
  if not part.tuned:
    flags.append("--xla_gpu_autotune_level=0")
  if dry_run:  # Compiling takes most of its time.
    flags.append("--xla_backend_optimization_level=0")
  return {"XLA_FLAGS": " ".join(filter(None, flags))}


def _read(file: pathlib.Path) -> dict[str, Any]:
  """Returns the report of a part, {} if it was ended while it wrote."""
  try:
    return json.loads(file.read_text())
  except (OSError, ValueError):
    return {}


def _rows(report: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
  """Returns the rows of a part's report, the "steps" of training."""
  return report.get("rows") or report.get("steps") or ()


def _environment(options: argparse.Namespace, folder: pathlib.Path) -> dict[str, str]:
  """Returns the environment of all parts; unpacks the wheels."""
  paths = [str(_ROOT), os.environ.get("PYTHONPATH", "")]
  if options.wheels:
    site = folder / "site"
    words = ["install", "--quiet", "--no-index", "--no-deps", "--target", str(site)]
    wheels = sorted(map(str, options.wheels.glob("*.whl")))
    subprocess.run([sys.executable, "-m", "pip", *words, *wheels], check=True)
    paths.insert(1, str(site))
  environment = {
    **os.environ,
    "PYTHONPATH": os.pathsep.join(filter(None, paths)),
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",  # Leaves memory for torch.
    # Later parts load the programs of earlier ones.
    "JAX_COMPILATION_CACHE_DIR": str(folder / "compiled"),
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
  }
  if options.dry_run:
    environment |= {"JAX_PLATFORMS": "cpu", "TORCH_COMPILE_DISABLE": "1"}
  return environment


def _options(argv: list[str] | None) -> argparse.Namespace:
  lines = [f"  {part.name}: {part.module}" for stage in STAGES for part in stage]
  about = __doc__.format(parts="\n".join(lines))
  parser = argparse.ArgumentParser(
    description=about, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  add = parser.add_argument
  add("--json", type=pathlib.Path, help="file to write, of a dry run none by default")
  add("--golden", type=pathlib.Path, default=_GOLDEN, help="folder of golden cases")
  add("--wheels", type=pathlib.Path, help="folder of wheels that are lacking")
  add("--commit", default="", help="commit of this folder, if it is no clone")
  add(
    "--seconds", type=float, default=_SECONDS, help="seconds of all parts (%(default)s)"
  )
  add("--parts", nargs="+", choices=_NAMES, default=_NAMES, metavar="NAME")
  add("--dry-run", action="store_true", help="tiny sizes, on a CPU")
  options = parser.parse_args(argv)
  for folder in (options.golden, options.wheels):
    if folder is not None and not folder.is_dir():
      parser.error(f"{folder} is no folder.")
  if options.wheels and not any(options.wheels.glob("*.whl")):
    parser.error(f"{options.wheels} has no wheels.")
  if options.json is None and not options.dry_run:
    options.json = _RESULTS
  options.commit = {"commit": options.commit} if options.commit else {}
  return options


if __name__ == "__main__":
  sys.exit(main())
