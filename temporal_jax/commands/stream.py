"""Predict after every frame of a camera, a pipe or a file.

It prints a line per frame: its time in seconds, the likeliest classes so far,
and the time of the prediction. Ctrl-C ends it.
"""

import argparse
import itertools
import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from temporal_jax.commands.shared import output
from temporal_jax.commands.shared.arguments import add_model, add_topk
from temporal_jax.validation import check_at_least

if TYPE_CHECKING:
  import av

  from temporal_jax.inference import Stream
  from temporal_jax.inference.prediction import Labels

COMPUTES = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
  """Adds the arguments of `stream`."""
  parser.add_argument(
    "source",
    metavar="SOURCE",
    help="a file, a device, an address that FFmpeg opens, or - for a pipe",
  )
  add_model(parser, "of a causal operator, e.g. causal_aggregation")
  parser.add_argument(
    "--format",
    metavar="NAME",
    help="FFmpeg's name of the format of SOURCE, e.g. avfoundation for a camera of "
    "macOS; files, pipes and /dev/video0 need none",
  )
  parser.add_argument(
    "--every", type=int, default=1, metavar="N", help="take each N-th frame (1)"
  )
  parser.add_argument(
    "--window",
    type=int,
    metavar="N",
    help="newest frames of which the prediction is the mean: by default as "
    "many as the network's clips have; 0 for all so far",
  )
  add_topk(parser, 1)


def run(options: argparse.Namespace) -> int:
  """Returns 0, or 1 if frames could not be decoded."""
  for name, least in (("every", 1), ("topk", 1), ("window", 0)):
    value = getattr(options, name)
    if value is not None:
      check_at_least(f"--{name}", value, least)
  from temporal_jax import data, inference

  saved = output.load_model(options.model)
  window = saved.clip_shape[0] if options.window is None else options.window
  try:
    with data.LiveVideo(_source(options), form=options.format) as video:
      stream = inference.Stream(saved, window=window or None)
      try:
        _show(stream, itertools.islice(video, 0, None, options.every), options)
      except BrokenPipeError:  # Nobody reads on.
        _write_nowhere()
      finally:
        _conclude(stream, video.lost)
      return int(video.lost > 0)
  except data.VideoError as error:
    raise data.VideoError(f"{options.source}: {error}.") from error


def _source(options: argparse.Namespace) -> str | int:
  """Returns the source to read: a name, or a pipe's descriptor."""
  if options.source != "-":
    return os.path.expanduser(options.source)
  if sys.stdin.isatty():
    raise ValueError("nothing is piped into -.")
  return sys.stdin.fileno()


def _show(
  stream: "Stream",
  frames: Iterable["av.VideoFrame"],
  options: argparse.Namespace,
) -> None:
  """Prints one line per frame."""
  from temporal_jax.inference import Prediction

  for frame in frames:
    prediction = Prediction(options.source, stream(frame))
    words = _words(prediction.top(stream.saved.class_names, options.topk))
    seconds = "" if frame.time is None else f"{frame.time:.2f} s"
    took = f"{stream.milliseconds[-1]:.1f} ms"
    output.say(f"{seconds:>10}  {took:>9}  {words}", flush=True)


def _words(top: "Labels | dict[str, Labels]") -> str:
  """Returns the best classes with their probabilities, of each task."""
  if isinstance(top, dict):
    return "; ".join(f"{task}: {_words(best)}" for task, best in top.items())
  return ", ".join(f"{label} {share:.1%}" for label, share in top)


def _write_nowhere() -> None:
  """Keeps unwritten output from failing when Python ends."""
  nowhere = os.open(os.devnull, os.O_WRONLY)
  os.dup2(nowhere, sys.stdout.fileno())
  os.close(nowhere)


def _conclude(stream: "Stream", lost: int) -> None:
  """Prints the times that frames took."""
  frames, median, p95 = stream.latency
  words = f"frames: {frames}"
  if frames:
    words += f"; ms per frame: {median:.1f} (median), {p95:.1f} (95 %)"
  if lost:
    words += f"; {lost} could not be decoded"
  print(words, file=sys.stderr)
