r"""Times predictions of a folder of videos.

  GLIBC_TUNABLES=glibc.malloc.hugetlb=1 python -m benchmarks.predict \
    [MODEL] [--frames T] [--clips N] [--turns N] [--json FILE]

Clips per second, with one middle clip per video, in turns on the same machine:

  predictor   `inference.Predictor` from H.264 files to probabilities.
  bare        only the jitted network, on clips that are on the device.
  decoding    only the predictor's decoding, with as many threads.

The share is predictor / bare, the median over the turns. If the device is the
CPU that also decodes, `share_if_one_processor_does_both` is the upper bound.
Processor seconds per clip are disturbed less by other programs: the
predictor's should be the sum of bare and decoding. Weights are random.
"""

import argparse
import collections
import functools
import itertools
import pathlib
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from benchmarks.shared import machine, results
from benchmarks.shared.videos import LENGTH, write_videos
from temporal_jax import inference
from temporal_jax.data.video.readers import open_reader
from temporal_jax.data.views.eval_protocol import EvalProtocol
from temporal_jax.data.views.read_views import read_views
from temporal_jax.thread_map import run_in_order


def main(argv: list[str] | None = None) -> None:
  """Measures, prints and writes the JSON file."""
  options = _options(argv)
  saved = inference.new_model(options.model, num_frames=options.frames)
  report = measure(
    saved,
    clips=options.clips,
    turns=options.turns,
    batch_size=options.batch_size,
    num_threads=options.threads,
    size=tuple(options.size),
  )
  about = {"machine": machine.describe(), "model": options.model}
  for name, value in report.items():
    print(f"{name}: {value}")
  results.write_json(options.json, about | report)


def measure(
  saved: inference.SavedModel,
  *,
  clips: int,
  turns: int,
  batch_size: int = 8,
  num_threads: int = 4,
  videos: int = 16,
  size: tuple[int, int] = (240, 320),
) -> dict[str, Any]:
  """Times predictor, network and decoding in turns.

  Args:
    saved: The network.
    clips: Clips per turn, one per video; the files are repeated.
    turns: Number of turns.
    batch_size: Clips computed at once.
    num_threads: Videos decoded at a time.
    videos: Number of files.
    size: Height and width of the videos, in pixels.
  """
  predictor = inference.Predictor(saved, batch_size=batch_size, num_threads=num_threads)
  forward = jax.jit(inference.create_forward(saved))
  variables = jax.device_put(inference.prepare_variables(saved))
  read = functools.partial(_read, protocol=predictor.protocol)
  with tempfile.TemporaryDirectory() as folder:
    files = write_videos(pathlib.Path(folder), videos, size)
    listed = [*itertools.islice(itertools.cycle(files), clips)]
    ready = [
      jax.device_put(np.stack([read(file) for file in listed[:batch_size]]))
      for _ in range(2)
    ]
    batches = -(-clips // batch_size)

    def bare() -> None:
      last = [forward(variables, ready[i % 2]) for i in range(batches)]
      jax.block_until_ready(last)

    sides = {
      "predictor": lambda: _exhaust(predictor.predict(listed)),
      "bare": bare,
      "decoding": lambda: _exhaust(
        run_in_order(read, listed, num_threads, ahead=batch_size + num_threads)
      ),
    }
    times = _in_turns(sides, turns)
  rate = {
    name: clips / statistics.median(pair[0] for pair in pairs)
    for name, pairs in times.items()
  }
  return {
    "videos": f"{size[1]} x {size[0]}, {LENGTH} frames",
    "clip": saved.clip_shape,
    "batch_size": batch_size,
    "threads": num_threads,
    "clips_per_turn": clips,
    "clips_per_second": rate,
    "processor_seconds_per_clip": {
      name: statistics.median(pair[1] for pair in pairs) / clips
      for name, pairs in times.items()
    },
    "share": statistics.median(
      bare / ours
      for (bare, _), (ours, _) in zip(times["bare"], times["predictor"], strict=True)
    ),
    "share_if_one_processor_does_both": 1 / (1 + rate["bare"] / rate["decoding"]),
    "compilations": predictor.classifier.compilations,
  }


def _in_turns(
  sides: dict[str, Callable[[], None]], turns: int
) -> dict[str, list[tuple[float, float]]]:
  """Returns seconds and processor seconds of each function in each turn.

  A first turn is not timed.
  """
  times = {name: [] for name in sides}
  for turn in range(turns + 1):
    for name, function in sides.items():
      start, used = time.perf_counter(), time.process_time()
      function()
      end = time.perf_counter() - start, time.process_time() - used
      if turn:
        times[name].append(end)
  return times


def _exhaust(items: Any) -> None:
  collections.deque(items, maxlen=0)


def _read(file: str, protocol: EvalProtocol) -> np.ndarray:
  """Returns the one view of a video."""
  with open_reader(file) as reader:
    return read_views(reader, protocol, fps=reader.fps)[0]


def _options(argv: list[str] | None) -> argparse.Namespace:
  parser = results.create_parser(__doc__)
  add = parser.add_argument
  add("model", nargs="?", default="vit_b16", help="name in the catalog (%(default)s)")
  add("--frames", type=int, help="frames of a clip, instead of the usual")
  add("--clips", type=int, default=64, help="clips per turn (%(default)s)")
  add("--turns", type=int, default=5, help="number of turns (%(default)s)")
  add("--batch-size", type=int, default=8, help="clips (%(default)s)")
  add("--threads", type=int, default=4, help="threads that decode (%(default)s)")
  add(
    "--size",
    type=int,
    nargs=2,
    default=(240, 320),
    metavar=("H", "W"),
    help="size of the videos, in pixels (%(default)s)",
  )
  return parser.parse_args(argv)


if __name__ == "__main__":
  main()
