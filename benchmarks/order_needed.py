"""Accuracy on something_moves of networks that see its order, and that do not.

  python -m benchmarks.order_needed --work runs/order_needed

The same small network is trained several times by configs/something_moves.py:
with a temporal operator, without, on frames in a random order, and on two
neighbouring frames, whose scores are averaged over the clip in the test. The
last three can recognise the pair of events; the order of the two is a guess.
The column "order" is the share of clips of right pairs whose order is right.
Killed, the same command goes on.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import time
from typing import Any

from benchmarks.league_parts import order
from benchmarks.shared import machine, results, trained_once

# Frames that the network's frames are apart, as in the config.
_STRIDE = 2
# Row -> arguments of train.py.
NETWORKS = {
  "aggregation": (),
  "no temporal modelling": ("--config.model.temporal=none",),
  "aggregation, shuffled frames": (
    f"--config.data.sampling=shuffled('dense({_STRIDE})')",
  ),
  "aggregation, two neighbouring frames": (
    "--config.data.num_frames=2",
    "--config.eval.num_clips=13",
  ),
}


def run(work: pathlib.Path, name: str, *more: str) -> dict[str, Any]:
  """Trains once, unless it was done, and returns the figures.

  Args:
    work: Folder of all runs.
    name: A key of `NETWORKS`.
    *more: Further arguments of train.py.

  Returns:
    "top1"; "pair", see `order.pair_accuracy`; and "seconds", None of a training
    that was stopped and went on.

  Raises:
    SystemExit: If it was trained with other arguments.
  """
  place = work / name.replace(",", "").replace(" ", "_")
  words = [*NETWORKS[name], *more]
  stopped = trained_once.begin(place, {"network": name, "arguments": words})
  if (done := trained_once.figures(place)) is not None:
    return done
  began = time.perf_counter()
  command = [sys.executable, "-m", "temporal_jax.train", f"--workdir={place}"]
  command += ["--config=something_moves", f"--config.data.data_dir={work / 'data'}"]
  command += ["--config.eval_every=0", *words]
  subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
  seconds = round(time.perf_counter() - began, 1)
  report = json.loads((place / "report.json").read_text())
  pair = order.pair_accuracy("something_moves", report["confusion"])
  reached = {"top1": report["top1"], "pair": pair}
  return trained_once.end(place, {**reached, "seconds": None if stopped else seconds})


def main(arguments: list[str] | None = None) -> None:
  """Measures, prints and writes all rows."""
  parser = results.create_parser(__doc__)
  parser.add_argument(
    "--work", type=pathlib.Path, required=True, help="folder of all runs"
  )
  parser.add_argument(
    "--networks", nargs="*", choices=NETWORKS, default=[*NETWORKS], help="rows"
  )
  parser.add_argument(
    "--more", nargs=argparse.REMAINDER, default=[], help="arguments of train.py"
  )
  options = parser.parse_args(arguments)
  options.work.mkdir(parents=True, exist_ok=True)
  table = results.ResultTable(("network", "top-1", "pair", "order", "s"), name_width=36)
  rows = []
  for name in options.networks:
    found = run(options.work.resolve(), name, *options.more)
    rows.append(found)
    table.add(
      name,
      f"{found['top1']:.1%}",
      f"{found['pair']:.1%}",
      f"{found['top1'] / found['pair']:.1%}" if found["pair"] else "-",
      f"{found['seconds']:.0f}" if found["seconds"] else "-",
    )
  if options.json:
    content = {"machine": machine.describe(), "rows": rows}
    results.write_json(options.json, content)


if __name__ == "__main__":
  main()
