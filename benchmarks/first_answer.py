"""Times whole processes from their start to a video's first answer.

  python -m benchmarks.first_answer [--turns N] [--json FILE]

Each of these runs twice, first with an empty compilation cache and then with
the cache of the first run, in turns on the same machine:

  camera_motion  `temporal-jax predict clip.mp4 --model camera_motion`.
  atm saved      the same with a folder of variables of ATM ViT-B/16.
  atm fresh      `Predictor(new_model("atm_vit_b16"))("clip.mp4")` in Python.
  atm torch      the authors' torch code on 8 frames of the video, with fresh
                 weights; it has no cache.

Processor time is summed over all cores; other programs disturb it less than
elapsed time. Figures are medians over the turns.
"""

import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.shared import machine, results
from benchmarks.shared.videos import write_videos
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
  parser = results.create_parser(__doc__)
  parser.add_argument(
    "--turns", type=int, default=5, help="turns of each (%(default)s)"
  )
  options = parser.parse_args(argv)
  with tempfile.TemporaryDirectory() as folder:
    report = measure(commands(pathlib.Path(folder)), options.turns)
  table = results.ResultTable(("process", "run", "seconds", "processor s"))
  for name, times in report.items():
    for which, (seconds, processor) in times.items():
      table.add(name, which, f"{seconds:.2f}", f"{processor:.2f}")
  about = {"machine": machine.describe(), "turns": options.turns}
  results.write_json(options.json, about | report)


def commands(folder: pathlib.Path) -> dict[str, list[str]]:
  """Writes the files to read, and returns arguments of Python by name."""
  (clip,) = write_videos(folder, 1, (240, 320))
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
  """Returns seconds and processor seconds of the "first" and "second" run.

  Args:
    sides: Arguments of Python, by name.
    turns: Number of turns.

  Raises:
    ValueError: If a process fails.
  """
  times: dict[str, Any] = {name: {"first": [], "second": []} for name in sides}
  for _ in range(turns):
    for name, words in sides.items():
      with tempfile.TemporaryDirectory() as kept:
        for which in ("first", "second"):
          try:
            times[name][which].append(_run(words, kept))
          except subprocess.CalledProcessError as error:
            raise ValueError(f"{name}: status {error.returncode}.") from None
  return {
    name: {
      which: tuple(map(statistics.median, zip(*pairs, strict=True)))
      for which, pairs in of_side.items()
    }
    for name, of_side in times.items()
  }


def environment(kept: str) -> dict[str, str]:
  """Returns the variables of a process that keeps its programs in a folder."""
  return {
    **os.environ,
    "JAX_COMPILATION_CACHE_DIR": kept,
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    "TORCHINDUCTOR_CACHE_DIR": kept,
  }


def _run(words: Sequence[str], kept: str) -> tuple[float, float]:
  """Returns the seconds of a process, and its processor seconds."""
  before, start = os.times(), time.perf_counter()
  subprocess.run(
    [sys.executable, *words],
    env=environment(kept),
    stdout=subprocess.DEVNULL,
    check=True,
  )
  seconds, after = time.perf_counter() - start, os.times()
  user = after.children_user - before.children_user
  system = after.children_system - before.children_system
  return seconds, user + system


if __name__ == "__main__":
  main()
