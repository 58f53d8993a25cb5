r"""Times a prediction a frame: online, and by the whole clip each time.

  GLIBC_TUNABLES=glibc.malloc.hugetlb=1 python -m benchmarks.stream \
    [MODEL:OPERATOR ...] [--frames T] [--count N] [--json FILE]

Milliseconds from a picture to its probabilities, the median and what 95 % take
at most, in turns on the same machine:

  online   `inference.Stream`, which computes the new frame alone.
  clip     `inference.Classifier` on the T newest frames.

Weights are random, pictures are of 360 x 640 pixels.
"""

import argparse
import collections
import json
import pathlib
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from benchmarks.shared import machine
from temporal_jax import data, inference

_MODELS = ("resnet18:causal_shift", "resnet50:causal_aggregation")


def main(argv: list[str] | None = None) -> None:
  """Measures, prints a table and writes the JSON file."""
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  add = parser.add_argument
  add("models", nargs="*", default=_MODELS, metavar="MODEL:OPERATOR")
  add("--frames", type=int, default=8, help="of a clip (%(default)s)")
  add("--count", type=int, default=60, help="of pictures (%(default)s)")
  add("--json", type=pathlib.Path, help="file to write")
  options = parser.parse_args(argv)
  rows = []
  print("| network | online ms (95 %) | clip ms (95 %) | times faster |")
  print("|---|---|---|---|")
  for model in options.models:
    name, _, operator = model.partition(":")
    saved = inference.new_model(
      name, num_frames=options.frames, temporal=operator or "none"
    )
    online, clip = measure(saved, options.count)
    row = {"model": model, "online": online, "clip": clip}
    rows.append(row)
    print(
      f"| {model} | {online[0]:.1f} ({online[1]:.1f}) | {clip[0]:.1f} "
      f"({clip[1]:.1f}) | {clip[0] / online[0]:.1f} |"
    )
  if options.json:
    report = {"machine": machine.describe(), "frames": options.frames}
    options.json.write_text(json.dumps({**report, "rows": rows}, indent=1))


def measure(saved: inference.SavedModel, count: int) -> tuple[list[float], list[float]]:
  """Returns median and 95th percentile in ms, online and by whole clips."""
  stream = inference.Stream(saved, window=saved.clip_shape[0])
  classify = inference.Classifier(saved, batch_size=1)
  cut = data.PictureCropper(saved.protocol)
  newest = collections.deque(maxlen=saved.clip_shape[0])

  def by_clip(picture: np.ndarray) -> Any:
    newest.append(cut(picture))
    return classify(np.stack(newest)[None])

  rng = np.random.default_rng(0)
  pictures = rng.integers(0, 256, (8, 360, 640, 3), np.uint8)
  newest.extend([cut(pictures[0])] * saved.clip_shape[0])
  by_clip(pictures[0])  # Compiles.
  times = [
    [_milliseconds(side, pictures[i % 8]) for side in (stream, by_clip)]
    for i in range(count)
  ]
  return tuple(_percentiles(side) for side in zip(*times, strict=True))


def _milliseconds(function: Callable[[Any], Any], picture: np.ndarray) -> float:
  start = time.perf_counter()
  function(picture)
  return 1e3 * (time.perf_counter() - start)


def _percentiles(values: Iterable[float]) -> list[float]:
  return np.percentile([*values], (50, 95)).tolist()


if __name__ == "__main__":
  main()
