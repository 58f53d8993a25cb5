"""Show the classes of a long video over time.

A window of frames slides over the video, which is decoded once from front to
back; memory does not grow with its length. Without an output file the windows
are listed. Exit code 1 if the video is damaged: earlier windows are written.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from temporal_jax.commands.shared import output
from temporal_jax.commands.shared.arguments import (
  add_batch_size,
  add_model,
  add_topk,
  path,
)

if TYPE_CHECKING:
  from temporal_jax.inference import LabelledSpan

COMPUTES = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
  """Adds the arguments of `watch`."""
  parser.add_argument("file", type=path, metavar="FILE", help="the video")
  add_model(parser)
  add_topk(parser, 1)
  add_batch_size(parser, "windows")
  parser.add_argument(
    "--window",
    type=int,
    metavar="N",
    help="frames of a window (as many as the network's clips); if more than the "
    "network takes, it sees some of them, evenly spread",
  )
  parser.add_argument(
    "--stride",
    type=int,
    metavar="N",
    help="frames from one window's start to the next (a quarter of a window)",
  )
  parser.add_argument(
    "--rate",
    type=float,
    metavar="N",
    help="frames per second that windows are made of, at whatever rate the video "
    "comes (all frames that there are)",
  )
  for name, words in (
    ("json", "list of {start, stop, predictions: [{label, probability}]}"),
    ("csv", "table of start, stop, label, probability"),
    ("srt", "subtitles: the most probable class, windows of the same class joined"),
    ("png", "picture of the probabilities over time"),
  ):
    parser.add_argument(f"--{name}", type=path, metavar=f"OUT.{name}", help=words)
  parser.add_argument(
    "--threshold",
    type=float,
    default=0.0,
    metavar="P",
    help="probability below which --srt shows no class (%(default)s)",
  )
  parser.add_argument(
    "--min-seconds",
    type=float,
    default=0.0,
    metavar="SECONDS",
    help="length of the shortest subtitle of --srt (%(default)s)",
  )
  parser.add_argument("--task", metavar="NAME", help="task, if there are several")
  parser.add_argument(
    "--time-limit",
    type=float,
    default=600.0,
    metavar="SECONDS",
    help="seconds to find the frames, or decode one (%(default)s)",
  )


def run(options: argparse.Namespace) -> int:
  """Returns 0, or 1 if the video is damaged."""
  from temporal_jax.inference import watch_video
  from temporal_jax.inference.watch.watch_video import FORMATS
  from temporal_jax.inference.watch.window_files import clock

  outputs = {form: getattr(options, form) for form in FORMATS if getattr(options, form)}
  done = watch_video(
    options.file,
    output.begin_loading(options.model),
    outputs,
    window=options.window,
    stride=options.stride,
    rate=options.rate,
    task=options.task,
    topk=options.topk,
    batch_size=options.batch_size,
    time_limit=options.time_limit,
    threshold=options.threshold,
    min_seconds=options.min_seconds,
    track=output.track("watching") if outputs else _list,
  )
  if outputs:
    files = ", ".join(map(str, outputs.values()))
    length = clock(done.duration, 1)
    output.say(f"{options.file}: {done.windows} windows of {length}. {files}")
    if options.srt and not options.srt.stat().st_size:
      output.say(
        f"{options.srt} has no subtitle: no class reaches --threshold "
        f"{options.threshold} for --min-seconds {options.min_seconds}."
      )
  if done.error is None:
    return 0
  output.say(
    f"temporal-jax watch: {options.file}: {done.error}; "
    f"{done.windows} of {done.expected} windows come before.",
    file=sys.stderr,
  )
  return 1


def _list(spans: Iterable["LabelledSpan"], expected: int) -> Iterator["LabelledSpan"]:
  """Prints a line for each window."""
  from temporal_jax.inference.watch.window_files import clock

  output.say(f"{'start':>10} {'stop':>10}  classes")
  for span in spans:
    times = f"{clock(span.start, 2):>10} {clock(span.stop, 2):>10}"
    labels = ", ".join(f"{p:.1%} {label}" for label, p in span.labels)
    output.say(f"{times}  {labels}")
    yield span
