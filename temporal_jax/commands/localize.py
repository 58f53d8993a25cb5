r"""Find actions in videos, with their start and end.

  temporal-jax localize film.mp4 --model runs/detector --png film.png

A video goes through the network that the detector's features were made by, and
then through the detector; files of features, as `temporal-jax extract` writes
them, go through the detector only. Exit code 1 if a file cannot be read; it is
named, and the others go on.
"""

import argparse
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from temporal_jax.commands.shared import output
from temporal_jax.commands.shared.arguments import add_batch_size, path
from temporal_jax.storage import check_outputs
from temporal_jax.validation import check_number, check_whole

if TYPE_CHECKING:
  from temporal_jax.inference import Localization

COMPUTES = True
_FILES = ("json", "csv", "srt", "png")


def add_arguments(parser: argparse.ArgumentParser) -> None:
  """Adds the arguments of `localize`."""
  parser.add_argument(
    "files",
    nargs="+",
    metavar="FILE|DIR|GLOB",
    help="videos, or files of features; a folder means all videos in it at any depth",
  )
  parser.add_argument(
    "--model",
    required=True,
    metavar="DIR",
    help="the detector: workdir of a run of train.py, a converted one, or its "
    "address hf://org/name",
  )
  parser.add_argument(
    "--features",
    metavar="DIR",
    help="the network that makes the features of videos, a folder or "
    "camera_motion (the bundled one that the detector names)",
  )
  parser.add_argument(
    "--threshold",
    type=float,
    default=0.2,
    metavar="SCORE",
    help="least score of a segment, in [0, 1] (%(default)s)",
  )
  parser.add_argument(
    "--top", type=int, metavar="N", help="segments of a video, at most (all)"
  )
  for name, words in (
    ("json", "list of {file, duration, segments: [{label, start, end, score}], error}"),
    ("csv", "table of path, start, end, label, score"),
    ("srt", "subtitles; of one video only"),
    ("png", "picture of the segments under frames; of one video only"),
  ):
    parser.add_argument(f"--{name}", type=path, metavar=f"OUT.{name}", help=words)
  parser.add_argument(
    "--fps",
    type=float,
    metavar="RATE",
    help="frames per second of the films, for files of features without it",
  )
  parser.add_argument(
    "--class-scores",
    type=path,
    metavar="FILE.npz|DIR",
    help="class scores that label the segments of a detector without classes: "
    "scores.npz of a network that classifies whole films, or the folder of verb/ "
    "and noun/ with the logits of windows",
  )
  add_batch_size(parser, "windows of a video")


def run(options: argparse.Namespace) -> int:
  """Returns 0 if all files were read, 1 if some were not."""
  from temporal_jax import inference
  from temporal_jax.inference.localize.segment_files import write_csv
  from temporal_jax.localization.features.read_features import FPS_BOUNDS

  files = list(_files(options.files))
  _check_outputs(options, files)
  check_number("--threshold", options.threshold, 0, 1)
  if options.top is not None:
    check_whole("--top", options.top, 1)
  if options.fps is not None:
    check_number("--fps", options.fps, *FPS_BOUNDS)
  check_whole("--batch-size", options.batch_size, 1)
  localizer = inference.Localizer(
    options.model,
    features=options.features,
    fps=options.fps,
    class_scores=options.class_scores,
    batch_size=options.batch_size,
  )
  films = []
  for found in output.track("localizing")(localizer.localize(files), len(files)):
    film = found.best(threshold=options.threshold, top=options.top)
    _show(film)
    films.append(film)
  output.write_json(options.json, [film.record() for film in films])
  if options.csv:
    write_csv(films, options.csv)
  if not films[0].error:
    _write_one(films[0], options)
  return 1 if any(film.error for film in films) else 0


def _files(words: list[str]) -> Iterator[str]:
  """Yields the files that the words name."""
  from temporal_jax.inference import list_videos
  from temporal_jax.inference.localize.localizer import is_features

  seen: set[str] = set()
  for word in words:
    file = path(word)
    found = [str(file)] if is_features(file) and file.is_file() else list_videos([word])
    for file in found:
      if file not in seen:
        seen.add(file)
        yield file


def _check_outputs(options: argparse.Namespace, files: list[str]) -> None:
  """Refuses files that cannot be written, before anything is computed."""
  read = [*files, *filter(None, [options.class_scores])]
  check_outputs({f"--{name}": getattr(options, name) for name in _FILES}, read)
  for name in ("srt", "png"):
    if getattr(options, name) and len(files) > 1:
      raise ValueError(f"--{name} is of one video, got {len(files)} to read.")


def _write_one(film: "Localization", options: argparse.Namespace) -> None:
  """Writes the files of a single video."""
  from temporal_jax.inference.localize.localizer import is_features
  from temporal_jax.inference.localize.segment_files import write_srt
  from temporal_jax.inference.localize.segment_picture import read_strip, save_segments

  if options.srt:
    write_srt(film, options.srt)
  if options.png:
    strip = None if is_features(film.file) else read_strip(film.file)
    save_segments(film, options.png, strip=strip)


def _show(film: "Localization") -> None:
  """Prints the segments of a video in time, or on stderr the error."""
  from temporal_jax.inference.watch.window_files import clock

  if film.error:
    output.say(f"bad: {film.file}: {film.error}", file=sys.stderr)
    return
  count = len(film.segments)
  noun = "segment" if count == 1 else "segments"
  output.say(f"{film.file}: {count or 'no'} {noun} in {clock(film.duration, 1)}")
  if not count:
    return
  output.say(f"  {'start':>10} {'end':>10} {'score':>7}  class")
  for one in film.in_time():
    times = f"{clock(one.start, 2):>10} {clock(one.end, 2):>10}"
    output.say(f"  {times} {one.score:7.1%}  {one.label}")
