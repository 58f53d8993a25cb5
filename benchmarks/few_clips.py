"""Accuracy of networks that learn new classes from few clips.

  python -m benchmarks.few_clips --work runs/few_clips

Six motions of a camera that the bundled network does not know, those of
compound_motion, are learned from 5, 12 and 50 clips per class, by the commands
that a user would give: from scratch, fine-tuned, by a probe, by low-rank
adapters. Each has other clips and another seed in each of three repetitions,
and the 512 test clips, which show other photographs. Killed, the same command
goes on.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import time
from typing import Any

import numpy as np

from benchmarks.shared import machine, results, trained_once

CLIPS = (5, 12, 50)
SEEDS = (0, 1, 2)
_APART = 100  # Clips of a class between the first ones of two repetitions.
_KNOWN = "--config.init_from=camera_motion"
# Row -> arguments of train.py.
METHODS = {
  # With the clips of the others.
  "from scratch": (
    "--config=finetune",
    "--config.data.image_size=32",
    "--config.data.short_side=64",
  ),
  "fine-tuned": ("--config=finetune", _KNOWN),
  "probe": ("--config=probe", _KNOWN),
  "low-rank adapters": ("--config=adapters:low_rank_resnet", _KNOWN),
}


def unpack(work: pathlib.Path, clips: int, seed: int) -> pathlib.Path:
  """Returns the folder of a repetition's clips, written if it is missing."""
  folder = work / f"{clips}_clips_{seed}"
  if not folder.exists():
    command = [sys.executable, "-m", "temporal_jax", "data", "unpack"]
    command += ["compound_motion", str(folder), f"--data-dir={work / 'data'}"]
    command += [f"--per-class={clips}", f"--skip={_APART * seed}"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
  return folder


def run(
  work: pathlib.Path, method: str, clips: int, seed: int, *more: str
) -> dict[str, Any]:
  """Trains once, unless it was done, and returns the figures.

  Args:
    work: Folder of all runs.
    method: A key of `METHODS`.
    clips: Training clips per class.
    seed: Number of the repetition.
    *more: Further arguments of train.py.

  Returns:
    "top1"; "cross_validation" of a probe; and "seconds", None of a training
    that was stopped and went on.

  Raises:
    SystemExit: If it was trained with other arguments.
  """
  place = work / f"{method.replace(' ', '_')}_{clips}_{seed}"
  job = {"method": method, "clips": clips, "seed": seed}
  words = [*METHODS[method], *more]
  stopped = trained_once.begin(place, {**job, "arguments": words})
  if (done := trained_once.figures(place)) is not None:
    return done
  root = unpack(work, clips, seed)
  own = [f"--config.data.root={root / 'clips.csv'}", f"--config.seed={seed}"]
  own.append(
    f"--config.probe.cache={work / 'cache'}"
    if method == "probe"
    else "--config.eval_every=0"
  )
  began = time.perf_counter()
  command = [sys.executable, "-m", "temporal_jax.train", f"--workdir={place}"]
  command += [*words, *own]
  subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
  seconds = round(time.perf_counter() - began, 1)
  report = json.loads((place / "report.json").read_text())
  reached = {"top1": report["top1"], "seconds": None if stopped else seconds}
  if "cross_validation" in report:
    reached["cross_validation"] = report["cross_validation"]["top1"]
  return trained_once.end(place, reached)


def summarize(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
  """Returns mean and standard deviation of each method and number of clips."""
  rows = []
  for method in dict.fromkeys(one["method"] for one in runs):
    for clips in dict.fromkeys(one["clips"] for one in runs):
      own = [x for x in runs if (x["method"], x["clips"]) == (method, clips)]
      top1 = [x["top1"] for x in own]
      row = {
        "method": method,
        "clips": clips,
        "top1": float(np.mean(top1)),
        "deviation": float(np.std(top1)),
      }
      whole = [x["seconds"] for x in own if x["seconds"] is not None]
      row["seconds"] = float(np.median(whole)) if whole else None
      checked = [x["cross_validation"] for x in own if "cross_validation" in x]
      if checked:
        row["cross_validation"] = float(np.mean(checked))
      rows.append(row)
  return rows


def main(arguments: list[str] | None = None) -> None:
  """Measures, prints and writes all rows."""
  parser = results.create_parser(__doc__)
  parser.add_argument(
    "--work", type=pathlib.Path, required=True, help="folder of all runs"
  )
  parser.add_argument(
    "--methods", nargs="*", choices=METHODS, default=[*METHODS], help="rows to measure"
  )
  parser.add_argument("--clips", type=int, nargs="*", default=[*CLIPS])
  parser.add_argument("--seeds", type=int, nargs="*", default=[*SEEDS])
  parser.add_argument(
    "--more", nargs=argparse.REMAINDER, default=[], help="arguments of train.py"
  )
  options = parser.parse_args(arguments)
  options.work.mkdir(parents=True, exist_ok=True)
  table = results.ResultTable(("method", "clips", "seed", "top-1", "held out", "s"))
  runs = []
  for clips in options.clips:
    for seed in options.seeds:
      for method in options.methods:
        found = run(options.work.resolve(), method, clips, seed, *options.more)
        runs.append(found)
        held_out = found.get("cross_validation")
        table.add(
          method,
          str(clips),
          str(seed),
          f"{found['top1']:.1%}",
          results.share_cell(held_out),
          f"{found['seconds']:.0f}" if found["seconds"] else "-",
        )
  if options.json:
    content = {"machine": machine.describe(), "runs": runs, "rows": summarize(runs)}
    results.write_json(options.json, content)


if __name__ == "__main__":
  main()
