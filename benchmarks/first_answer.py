"""Times whole processes from their start to a video's first answer.

  python -m benchmarks.first_answer [--turns N] [--json FILE]

Each of these twice, first without and then with what the process before kept of
its compiled programs, in turns on the same machine:

  camera_motion  `temporal-jax predict clip.mp4 --model camera_motion`.
  atm saved      the same of a folder with the variables of ATM ViT-B/16.
  atm fresh      `Predictor(new_model("atm_vit_b16"))("clip.mp4")` in Python.
  atm torch      the authors' torch code of it on 8 frames of the video, with
                 fresh weights; it keeps nothing.

The processor's time is that of all cores, which other programs disturb less
than the clock. Figures are medians over the turns.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.shared import machine
from benchmarks.training_parts import batches as train_input
from temporal_jax import inference

_FRESH = """
import sys
from temporal_jax import inference
print(inference.Predictor(inference.new_model("atm_vit_b16"))(sys.argv[1]))
"""
_TORCH = """
import av, numpy as np, sys, torch
from benchmarks.reference.atm import Atm
with av.open(sys.argv[1]) as file:
  frames = [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]
clip = np.stack(frames[:: len(frames) // 8][:8])[:, :224, :224]
pixels = torch.from_numpy(clip).permute(0, 3, 1, 2)[None].float() / 255
with torch.inference_mode():
  print(Atm().eval()((pixels - 0.45) / 0.225).softmax(-1).topk(5))
"""


def main(argv: list[str] | None = None) -> None:
  """Measures, prints and writes the JSON file."""
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument("--turns", type=int, default=5, help="of each (%(default)s)")
  parser.add_argument("--json", type=pathlib.Path, help="file to write")
  options = parser.parse_args(argv)
  with tempfile.TemporaryDirectory() as folder:
    report = measure(commands(pathlib.Path(folder)), options.turns)
  for name, times in report.items():
    for which, (seconds, processor) in times.items():
      print(f"{name:16}{which:8}{seconds:7.2f} s{processor:7.2f} s of processor")
  if options.json:
    about = {"machine": machine.describe(), "turns": options.turns}
    options.json.write_text(json.dumps(about | report, indent=1) + "\n")


def commands(folder: pathlib.Path) -> dict[str, list[str]]:
  """Writes what they read, and returns the commands by their names."""
  (clip,) = train_input.write_videos(folder, 1, (240, 320))
  atm = inference.new_model("atm_vit_b16")
  inference.save_model(
    folder / "atm",
    atm.variables,
    {
      "model": atm.name,
      "overrides": {},
      "num_classes": 400,
      "clip_shape": atm.clip_shape,
      "class_names": [],
      "pixels": atm.pixels,
    },
  )
  predict = ["-m", "temporal_jax", "predict", clip, "--model"]
  return {
    "camera_motion": [*predict, "camera_motion"],
    "atm saved": [*predict, str(folder / "atm")],
    "atm fresh": ["-c", _FRESH, clip],
    "atm torch": ["-c", _TORCH, clip],
  }


def measure(
  sides: Mapping[str, Sequence[str]], turns: int
) -> dict[str, dict[str, tuple[float, float]]]:
  """Returns the seconds and the processor's seconds, "first" and "second".

  Args:
    sides: Arguments of Python, by name.
    turns: Of each.
  """
  times: dict[str, Any] = {name: {"first": [], "second": []} for name in sides}
  for _ in range(turns):
    for name, words in sides.items():
      with tempfile.TemporaryDirectory() as kept:
        for which in ("first", "second"):
          times[name][which].append(_run(words, kept))
  return {
    name: {
      which: tuple(map(statistics.median, zip(*pairs, strict=True)))
      for which, pairs in of_side.items()
    }
    for name, of_side in times.items()
  }


def _run(words: Sequence[str], kept: str) -> tuple[float, float]:
  """Returns the seconds of a process, and those of all processors."""
  environment = {
    **os.environ,
    "JAX_COMPILATION_CACHE_DIR": kept,
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
  }
  before, start = os.times(), time.perf_counter()
  subprocess.run(
    [sys.executable, *words],
    env=environment,
    stdout=subprocess.DEVNULL,
    check=True,
  )
  seconds, after = time.perf_counter() - start, os.times()
  user = after.children_user - before.children_user
  system = after.children_system - before.children_system
  return seconds, user + system


if __name__ == "__main__":
  main()
