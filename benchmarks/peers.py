r"""Compares with what else one would take: networks of transformers.

  GLIBC_TUNABLES=glibc.malloc.hugetlb=1 \
    python -m benchmarks.peers [PATTERN ...] [--parts PART ...] [--json FILE]

TimeSformer (divided), ViViT, VideoMAE and X-CLIP, or those that match a shell
pattern, at equal sizes and weights. Parts, all by default:

  speed       clips per second of jitted inference and of a training step,
              compared with eager torch and with torch.compile, each in turns
              with ours; see benchmarks.networks and benchmarks.training.
  processes   fresh processes that read weights and a clip and print five
              classes: seconds from start to end with an empty and with a full
              cache of compiled programs; peak memory of such a process, and of
              one that trains for two steps.
  supplement  table 1 of X-ViT's supplement: videos per second over X-ViT's, of
              our networks with the papers' clips and views.

Outputs, losses and answers must be equal. If torch fails for a network, its row
has the error, and the others go on. Killed, the same command goes on after the
last row of FILE, unless files that git tracks, or the machine, have changed.
"""

import argparse
import functools
import json
import os
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import jax

from benchmarks import networks
from benchmarks.cases.networks import NetworkCase, find_cases, find_clip_shape
from benchmarks.peers_parts import processes, supplement
from benchmarks.shared import machine, network_sides, provenance, results
from benchmarks.training_parts import steps

PEERS = ("timesformer_b16", "vivit_b16x2", "videomae_b16", "xclip_b32")
MODES = ("eager", "compiled")

Row = dict[str, Any]


class Part(NamedTuple):
  """A part of the report.

  Attributes:
    columns: Titles of its table.
    jobs: Returns the rows' names, and functions that measure them.
    cells: Returns the table's lines of a row.
  """

  columns: Sequence[str]
  jobs: Callable[[argparse.Namespace], Sequence[tuple[str, Callable[[], Row]]]]
  cells: Callable[[Row], Iterator[Sequence[str]]]


def main(argv: list[str] | None = None) -> None:
  """Measures, prints tables and writes the JSON file after every row.

  Raises:
    SystemExit: In the end, if a part of a row failed.
  """
  options = _options(argv)
  about = {"measured": provenance.describe(), "machine": machine.describe()}
  about["load"] = os.getloadavg()[0]
  known = _kept(options.report, about)
  for name in options.parts:
    part = _PARTS[name]
    table = results.ResultTable(part.columns)
    for row_name, job in part.jobs(options):
      if (name, row_name) not in known:
        known[name, row_name] = job()
        rows = {
          one: [row for (of, _), row in known.items() if of == one] for one in _PARTS
        }
        results.write_json(options.json, about | rows)
        network_sides.free_memory()
      row = known[name, row_name]
      for cells in part.cells(row):
        table.add(*cells)
      for what, error in row.get("errors", {}).items():
        print(f"{row_name}, {what} failed: {error}", flush=True)
  if any(row.get("errors") for row in known.values()):
    raise SystemExit(1)


def _kept(
  report: Mapping[str, Any], about: Mapping[str, Any]
) -> dict[tuple[str, str], Row]:
  """Returns rows that the same command has measured, by their part and name.

  Rows of another commit, of changed files or of another machine are measured
  again, and so are rows with errors.

  Args:
    report: Content of the JSON file.
    about: Origin and machine of what is measured now.
  """
  before, now = report.get("measured", {}), about["measured"]
  is_known = now["commit"] != "unknown" and not now["commit"].endswith("+")
  same = all(before.get(key) == now[key] for key in ("commit", "command"))
  if not (is_known and same and report["machine"] == about["machine"]):
    return {}
  return {
    (name, row["name"]): row
    for name in _PARTS
    for row in report.get(name, [])
    if not row.get("errors")
  }


def measure_speed(
  case: NetworkCase,
  *,
  seconds: float,
  modes: tuple[str, ...] = MODES,
  clip_shape: tuple[int, int, int] | None = None,
) -> dict[str, Any]:
  """Measures inference and training step of a network in each mode of torch.

  Args:
    case: The network.
    seconds: Time per timing.
    modes: Modes of torch.
    clip_shape: (T, H, W), by default the catalog's.

  Returns:
    "inference" and "training", mode -> result of `networks.measure` and
    `steps.measure` for one clip; "errors" of the others, which fail or differ.
  """
  clip_shape = clip_shape or find_clip_shape(case.key)

  def infer(compiled: bool) -> dict[str, Any]:
    return networks.measure(
      case, compiled=compiled, seconds=seconds, clip_shape=clip_shape, train=False
    )

  def train(compiled: bool) -> dict[str, Any]:
    return steps.measure(
      case,
      "float32",
      steps.Setting(),
      compiled=compiled,
      seconds=seconds,
      batch=1,
      clip_shape=clip_shape,
    )

  row = {"name": case.name, "clip": (1, *clip_shape, 3)}
  row |= {"inference": {}, "training": {}, "errors": {}}
  for mode in modes:
    for work, measure in (("inference", infer), ("training", train)):
      try:
        row[work][mode] = measure(mode == "compiled")
      except jax.errors.JaxRuntimeError:
        raise  # Ours failed, which is no error of torch.
      except (RuntimeError, ValueError) as error:
        first, *_ = str(error).strip().splitlines() or [type(error).__name__]
        row["errors"][f"{mode} {work}"] = first
      network_sides.free_memory()
  return row


def _speed_jobs(options: argparse.Namespace) -> list[tuple[str, Callable[[], Row]]]:
  measure = functools.partial(measure_speed, seconds=options.seconds)
  return [(case.name, functools.partial(measure, case)) for case in options.cases]


def _speed_cells(row: Row) -> Iterator[Sequence[str]]:
  for work, key in (("inference", "inference"), ("training", "step")):
    for mode, found in row[work].items():
      times = found[key]
      speed = f"{1e3 / times['ours']:.2f}"
      yield row["name"], work, mode, *results.time_cells(times), speed


def _process_jobs(options: argparse.Namespace) -> list[tuple[str, Callable[[], Row]]]:
  def measure(case: NetworkCase) -> Row:
    try:
      return processes.measure(case, turns=options.turns, modes=MODES)
    except ValueError as error:
      return {"name": case.name, "errors": {"processes": str(error)}}

  return [(case.name, functools.partial(measure, case)) for case in options.cases]


def _process_cells(row: Row) -> Iterator[Sequence[str]]:
  for side, times in row.get("first_answer", {}).items():
    peaks = (row["peak_bytes"][work].get(side) for work in ("answer", "step"))
    yield (
      row["name"],
      side,
      *(f"{times[which][0]:.1f}" for which in ("first", "second")),
      *("-" if peak is None else f"{peak / 2**30:.2f}" for peak in peaks),
    )


def _supplement_jobs(
  options: argparse.Namespace,
) -> list[tuple[str, Callable[[], Row]]]:
  measure = functools.partial(supplement.measure, seconds=options.seconds)
  return [(m.name, functools.partial(measure, m)) for m in supplement.METHODS]


def _supplement_cells(row: Row) -> Iterator[Sequence[str]]:
  cells = ("-",) * 5
  if "ratio" in row:
    cells = (
      row["network"],
      " x ".join(map(str, row["clip"][1:4])),
      str(row["views"]),
      f"{row['milliseconds']:.0f}",
      f"{row['ratio']:.3f}",
    )
  yield row["name"], *cells, f"{row['printed_ratio']:.3f}"


_PARTS = MappingProxyType(
  {
    "speed": Part(
      ("network", "step", "torch", "ours ms", "torch ms", "ratio", "clips/s"),
      _speed_jobs,
      _speed_cells,
    ),
    "processes": Part(
      ("network", "side", "first s", "second s", "answer GiB", "step GiB"),
      _process_jobs,
      _process_cells,
    ),
    "supplement": Part(
      ("method", "network", "clip", "views", "view ms", "ratio", "printed"),
      _supplement_jobs,
      _supplement_cells,
    ),
  }
)


def _read(file: pathlib.Path | None) -> dict[str, Any]:
  """Returns the content of the JSON file, {} without it.

  Raises:
    ValueError: If it is not JSON.
  """
  if file is None or not file.exists():
    return {}
  try:
    return json.loads(file.read_text())
  except ValueError as error:
    raise ValueError(f"--json {file} is no JSON file: {error}.") from None


def _options(argv: list[str] | None) -> argparse.Namespace:
  parser = results.create_parser(__doc__)
  add = parser.add_argument
  add("patterns", nargs="*", metavar="PATTERN", help="networks; all by default")
  add("--parts", nargs="+", choices=_PARTS, default=[*_PARTS])
  add(
    "--seconds", type=results.above_zero, default=2.0, help="per timing (%(default)s)"
  )
  add("--turns", type=results.count, default=3, help="turns of processes (%(default)s)")
  options = parser.parse_args(argv)
  try:
    options.cases = find_cases(options.patterns or PEERS, PEERS)
    options.report = _read(options.json)
  except ValueError as error:
    parser.error(str(error))
  return options


if __name__ == "__main__":
  main()
