r"""Times one prediction per frame: online, and from the whole clip each time.

  GLIBC_TUNABLES=glibc.malloc.hugetlb=1 python -m benchmarks.stream \
    [MODEL:OPERATOR ...] [--frames T] [--count N] [--json FILE]

The table has milliseconds from a picture to its probabilities, the median and
the 95th percentile, in turns on the same machine:

  online   `inference.Stream`, which computes only the new frame.
  clip     `inference.Classifier` on the T newest frames.

Weights are random, pictures have 360 x 640 pixels.
"""

import collections
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from benchmarks.shared import machine, results
from temporal_jax import data, inference

_MODELS = ("resnet18:causal_shift", "resnet50:causal_aggregation")


def main(argv: list[str] | None = None) -> None:
  """Measures, prints a table and writes the JSON file."""
  parser = results.create_parser(__doc__)
  add = parser.add_argument
  add("models", nargs="*", default=_MODELS, metavar="MODEL:OPERATOR")
  add("--frames", type=int, default=8, help="frames of a clip (%(default)s)")
  add("--count", type=int, default=60, help="number of pictures (%(default)s)")
  options = parser.parse_args(argv)
  rows = []
  table = results.ResultTable(
    ("network", "online ms (95 %)", "clip ms (95 %)", "ratio")
  )
  for model in options.models:
    name, _, operator = model.partition(":")
    saved = inference.new_model(
      name, num_frames=options.frames, temporal=operator or "none"
    )
    online, clip = measure(saved, options.count)
    rows.append({"model": model, "online": online, "clip": clip})
    table.add(
      model,
      f"{online[0]:.1f} ({online[1]:.1f})",
      f"{clip[0]:.1f} ({clip[1]:.1f})",
      f"{clip[0] / online[0]:.1f}x",
    )
  report = {"machine": machine.describe(), "frames": options.frames, "rows": rows}
  results.write_json(options.json, report)


def measure(saved: inference.SavedModel, count: int) -> tuple[list[float], list[float]]:
  """Returns median and 95th percentile in ms, online and from whole clips."""
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
