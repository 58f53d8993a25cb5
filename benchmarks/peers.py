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

Outputs, losses and answers must be equal. If torch.compile fails for a network,
its row has the error, and the others go on.
"""

import argparse
import os
from collections.abc import Callable
from typing import Any

from benchmarks import networks
from benchmarks.cases.networks import NetworkCase, find_cases, find_clip_shape
from benchmarks.peers_parts import processes, supplement
from benchmarks.shared import machine, network_sides, results
from benchmarks.training_parts import steps

PARTS = ("speed", "processes", "supplement")
PEERS = ("timesformer_b16", "vivit_b16x2", "videomae_b16", "xclip_b32")
MODES = ("eager", "compiled")

Add = Callable[[str, dict[str, Any]], None]


def main(argv: list[str] | None = None) -> None:
  """Measures, prints tables and writes the JSON file after every row.

  Raises:
    SystemExit: In the end, if a part of a row failed.
  """
  options = _options(argv)
  about = {"machine": machine.describe(), "load": os.getloadavg()[0]}
  report: dict[str, Any] = {}

  def add(part: str, row: dict[str, Any]) -> None:
    report.setdefault(part, []).append(row)
    results.write_json(options.json, about | report)
    for what, error in row.get("errors", {}).items():
      print(f"{row['name']}, {what} failed: {error}", flush=True)
    network_sides.free_memory()

  for part, measure in (
    ("speed", _speed),
    ("processes", _processes),
    ("supplement", _supplement),
  ):
    if part in options.parts:
      measure(options, add)
  if any(row.get("errors") for rows in report.values() for row in rows):
    raise SystemExit(1)


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
      except (RuntimeError, ValueError) as error:
        row["errors"][f"{mode} {work}"] = str(error).strip().splitlines()[0]
      network_sides.free_memory()
  return row


def _speed(options: argparse.Namespace, add: Add) -> None:
  table = results.ResultTable(
    ("network", "step", "torch", "ours ms", "torch ms", "ratio", "clips/s")
  )
  for case in options.cases:
    row = measure_speed(case, seconds=options.seconds)
    for work, key in (("inference", "inference"), ("training", "step")):
      for mode, found in row[work].items():
        times = found[key]
        speed = f"{1e3 / times['ours']:.2f}"
        table.add(case.name, work, mode, *results.time_cells(times), speed)
    add("speed", row)


def _processes(options: argparse.Namespace, add: Add) -> None:
  table = results.ResultTable(
    ("network", "side", "first s", "second s", "answer GiB", "step GiB")
  )
  for case in options.cases:
    try:
      row = processes.measure(case, turns=options.turns)
    except ValueError as error:
      row = {"name": case.name, "errors": {"processes": str(error)}}
    for side, times in row.get("first_answer", {}).items():
      peaks = (row["peak_bytes"][work].get(side) for work in ("answer", "step"))
      table.add(
        case.name,
        side,
        *(f"{times[which][0]:.1f}" for which in ("first", "second")),
        *("-" if peak is None else f"{peak / 2**30:.2f}" for peak in peaks),
      )
    add("processes", row)


def _supplement(options: argparse.Namespace, add: Add) -> None:
  table = results.ResultTable(
    ("method", "network", "clip", "views", "view ms", "ratio", "printed")
  )
  for method in supplement.METHODS:
    row = supplement.measure(method, seconds=options.seconds)
    if "ratio" in row:
      cells = (
        row["network"],
        " x ".join(map(str, method.clip_shape)),
        str(method.views),
        f"{row['milliseconds']:.0f}",
        f"{row['ratio']:.3f}",
      )
    else:
      cells = ("-",) * 5
    table.add(method.name, *cells, f"{row['printed_ratio']:.3f}")
    add("supplement", row)


def _options(argv: list[str] | None) -> argparse.Namespace:
  parser = results.create_parser(__doc__)
  add = parser.add_argument
  add("patterns", nargs="*", metavar="PATTERN", help="networks; all by default")
  add("--parts", nargs="+", choices=PARTS, default=PARTS)
  add("--seconds", type=float, default=2.0, help="per timing (%(default)s)")
  add("--turns", type=results.count, default=3, help="of processes (%(default)s)")
  options = parser.parse_args(argv)
  try:
    options.cases = find_cases(options.patterns or PEERS, PEERS)
  except ValueError as error:
    parser.error(str(error))
  return options


if __name__ == "__main__":
  main()
