r"""Traffic of training steps on a TPU that is not there, and the wait for it.

  python -m benchmarks.collectives NAME [--meshes D,F,T ...] [--tpu v5e:2x4] \
    [--batch B] [--frames T] [--depth N] [--remat] [--json FILE]

The step of configs/base.py is compiled for meshes (data, fsdp, tensor), with
XLA's own flags and with `FLAGS` of libtpu, which docs/scaling.md recommends.
The table has megabytes (10^6) of one chip: its memory, what it sends in a step,
and how much of that it waits for: the rest is sent while it computes. The last
column counts arrays that the compiler gathers whole because it knows no other
way from one sharding to the next; there should be none.

A compiler is ended when the program's text is there, which takes a quarter of
the time of `train.py --plan`. It needs libtpu, `pip install '.[tpu]'`.
"""

import argparse
import functools
import itertools
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import jax

from benchmarks.compiled import jobs, reports
from benchmarks.compiled.child import Job, Outcome, compile_all
from benchmarks.compiled.target import TPU
from benchmarks.shared import machine, results
from temporal_jax import list_models, training
from temporal_jax.configs import base
from temporal_jax.experiment.preview import plan_step
from temporal_jax.training.parallel.collectives import read_collectives

# Sums of gradients start when they are known, those of small arrays 1 MB at a
# time, next to the products that remain of the backward pass. Sums of parts
# (fsdp) cannot run in the background; whole sums can.
FLAGS = (
  "--xla_enable_async_all_reduce=true",
  "--xla_tpu_enable_async_collective_fusion_fuse_all_reduce=true",
  "--xla_tpu_enable_async_collective_fusion_fuse_kloop_fusions=true",
  "--xla_jf_crs_combiner_threshold_in_bytes=1048576",
  "--xla_tpu_enable_all_reduce_scatter_fusion=false",
)
_ENVIRONMENT = MappingProxyType(
  {"XLA's own": {"LIBTPU_INIT_ARGS": ""}, "ours": {"LIBTPU_INIT_ARGS": " ".join(FLAGS)}}
)
_RESHARDED = "nvoluntary full rematerialization"
_AXES = ("data", "fsdp", "tensor")


def report(outcome: Outcome) -> dict[str, Any]:
  """Returns the figures of a compiled step, or its error."""
  row = dict(outcome.job.row)
  if outcome.error:
    return {**row, "error": outcome.error}
  found = read_collectives(outcome.text, outcome.facts["devices"])
  return {
    **row,
    "memory_bytes": reports.memory_bytes(outcome.memory_report),
    "sent_bytes": sum(collective.sent for collective in found),
    "waiting_bytes": sum(collective.waiting for collective in found),
    "collectives": [collective._asdict() for collective in found],
    "resharded": outcome.log.count(_RESHARDED),
  }


def _create_jobs(options: argparse.Namespace) -> list[Job]:
  settings = {
    "batch_size": options.batch,
    "data.num_classes": (400,),
    "data.num_frames": options.frames,
    "model.dtype": "bfloat16",
    "model.name": options.name,
    "model.remat": options.remat,
  }
  if options.depth:
    settings["model.overrides"] = {"depth": options.depth}
  return [
    Job(
      row={"name": options.name, "mesh": dict(mesh), "flags": flags},
      lower=functools.partial(_lower, settings, mesh, options.tpu),
      text_file=TPU.text_file,
      environment={**TPU.environment, **environment},
    )
    for mesh, (flags, environment) in itertools.product(
      options.meshes, _ENVIRONMENT.items()
    )
  ]


def _lower(
  settings: Mapping[str, Any], mesh: Mapping[str, int], tpu: str
) -> tuple[jax.stages.Lowered, Mapping[str, Any]]:
  """Lowers a step; runs in the child."""
  config = base.get_config()
  axes = {f"mesh.{axis}": size for axis, size in mesh.items()}
  overrides = settings.get("model.overrides", {})
  plain = {name: value for name, value in settings.items() if name != "model.overrides"}
  config.update_from_flattened_dict({**plain, **axes})
  config.model.overrides = overrides
  devices = training.absent_tpu(tpu)
  step = plan_step(config, devices)
  traced = step.function.trace(step.components.shapes, step.batch)
  return traced.lower(lowering_platforms=("tpu",)), {"devices": len(devices)}


_COLUMNS = ("step", "flags", "memory", "sent", "waiting", "resharded")


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
  axes = " x ".join(str(size) for size in row["mesh"].values())
  sizes = (row[f"{what}_bytes"] for what in ("memory", "sent", "waiting"))
  return (
    f"{row['name']}, {axes}",
    row["flags"],
    *(f"{size / 1e6:,.1f}" for size in sizes),
    str(row["resharded"]),
  )


def _mesh(text: str) -> dict[str, int]:
  """Reads "2,4,1"."""
  sizes = text.split(",")
  if len(sizes) != len(_AXES) or not all(size.isdecimal() for size in sizes):
    raise argparse.ArgumentTypeError(
      f"a mesh must be sizes of {', '.join(_AXES)} such as 2,4,1, got {text!r}."
    )
  return dict(zip(_AXES, map(int, sizes), strict=True))


def _options(argv: list[str] | None) -> argparse.Namespace:
  parser = results.create_parser(__doc__)
  add = parser.add_argument
  add("name", help="network of the catalog")
  add(
    "--meshes",
    nargs="+",
    type=_mesh,
    metavar="D,F,T",
    default=[_mesh(text) for text in ("8,1,1", "2,4,1", "2,2,2")],
  )
  add("--tpu", default="v5e:2x4", help="kind and grid of its chips")
  add("--batch", type=int, default=16, help="clips of all chips")
  add("--frames", type=int, default=8, help="frames of a clip")
  add("--depth", type=int, help="blocks of a transformer, instead of its own")
  add("--remat", action="store_true", help="compute blocks again for the gradients")
  add("--limit", type=float, default=1800, help="seconds for one program")
  options = parser.parse_args(argv)
  if options.name not in list_models("*"):
    parser.error(f"no network of the catalog is {options.name!r}.")
  try:
    TPU.check_installed()
  except ImportError as error:
    parser.error(str(error))
  return options


def main(argv: list[str] | None = None) -> None:
  """Compiles, prints the table and writes the JSON file after every row.

  Failures are reported; the remaining rows still run.

  Raises:
    SystemExit: In the end, if a row failed.
  """
  options = _options(argv)
  jobs.prepare()
  about = {"processor": machine.processor(), "tpu": options.tpu, **TPU.versions()}
  table = results.ResultTable(_COLUMNS)
  rows = []
  for outcome in compile_all(_create_jobs(options), limit=options.limit):
    rows.append(report(outcome))
    results.write_json(options.json, {"machine": about, "rows": rows})
    if "error" in rows[-1]:
      print(f"{rows[-1]['mesh']} failed: {rows[-1]['error']}", flush=True)
    else:
      table.add(*_cells(rows[-1]))
  if any("error" in row for row in rows):
    raise SystemExit(1)


if __name__ == "__main__":
  main()
