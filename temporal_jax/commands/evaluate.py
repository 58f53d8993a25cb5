r"""Evaluate a trained network on labelled videos, without training.

  temporal-jax evaluate --model runs/mine --data DIR --out tested
  temporal-jax evaluate --model camera_motion --data camera_motion
  temporal-jax evaluate --model runs/k400 --data LISTS --annotations k400 \
    --videos VIDEOS --views 10x3

Prints the accuracies and a table of the classes, the worst first. OUT has
report.json, scores.npz, confusion.png and misclassified.png, the surest
mistakes. Classes are found by their names; a class that the network does not
know is refused. Exit code 1 if a video cannot be read; it is named, and the
others go on.
"""

import argparse
import pathlib
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from temporal_jax.commands.shared import output
from temporal_jax.commands.shared.arguments import (
  add_batch_size,
  add_model,
  add_threads,
  add_views,
)

if TYPE_CHECKING:
  from temporal_jax.data import Source
  from temporal_jax.inference import Evaluation, SavedModel

COMPUTES = True
_LISTED = 20  # Classes of the printed table, at most.


def add_arguments(parser: argparse.ArgumentParser) -> None:
  """Adds the arguments of `evaluate`."""
  add_model(parser)
  parser.add_argument(
    "--data",
    required=True,
    metavar="WHERE",
    help="class/video or split/class/video, a CSV file path,label, the folder of "
    "the files of --annotations, or a prepared data set: its folder, or the name "
    "camera_motion",
  )
  parser.add_argument(
    "--split",
    default="",
    metavar="NAME",
    help="to score: train, val, test or, of a list, all (test, or val without it; "
    "of a list without splits all, except the videos that the network was trained on)",
  )
  parser.add_argument(
    "--annotations",
    default="",
    metavar="NAME",
    help="of the data set: k400, ssv2, ..., see docs/annotations.md",
  )
  parser.add_argument(
    "--videos",
    default="",
    metavar="DIR",
    help="folder of the videos of --annotations (WHERE)",
  )
  parser.add_argument(
    "--tasks",
    nargs="+",
    default=(),
    metavar="COLUMN",
    help="columns of the CSV file that are tasks",
  )
  parser.add_argument(
    "--frames",
    default="",
    metavar="PATTERN",
    help='names of pictures in folders, "img_*.jpg"; of flow "x_*.jpg,y_*.jpg"',
  )
  parser.add_argument(
    "--data-dir",
    default="data",
    metavar="DIR",
    help="folder of data sets that are called by name (%(default)s)",
  )
  parser.add_argument(
    "--test-fraction",
    type=float,
    default=0.2,
    metavar="F",
    help="share that a run tests of a list without splits (%(default)s)",
  )
  add_views(parser)
  parser.add_argument(
    "--out", type=pathlib.Path, metavar="OUT", help="folder to write, a new one"
  )
  add_batch_size(parser, "views, of several videos,")
  add_threads(parser)


def run(options: argparse.Namespace) -> int:
  """Returns 0 if all videos were read, 1 if some were not."""
  from temporal_jax import inference
  from temporal_jax.storage import whole_folder

  if options.out and options.out.exists():
    raise FileExistsError(f"--out {options.out} exists already: give a new folder.")
  saved = output.load_model(options.model)
  protocol = saved.protocol
  if options.views:
    protocol = inference.with_views(protocol, options.views)
  source = _open(options, saved)
  output.say(f"{protocol.describe()}.", file=sys.stderr)
  found = inference.evaluate_network(
    saved,
    source,
    protocol=protocol,
    batch_size=options.batch_size,
    num_threads=options.threads,
    track=output.track("scoring"),
  )
  for name, error in found.bad.items():
    output.say(f"bad: {name}: {error}", file=sys.stderr)
  if found.summary is None:
    output.say(f"none of the {len(source)} videos could be read.", file=sys.stderr)
    return 1
  _show(found)
  if options.out:
    with whole_folder(options.out) as partial:
      partial.mkdir()
      inference.write_evaluation(partial, found)
    files = ", ".join(sorted(file.name for file in options.out.iterdir()))
    output.say(f"{options.out}: {files}")
  return 1 if found.bad else 0


def _open(options: argparse.Namespace, saved: "SavedModel") -> "Source":
  """Opens the videos, and warns if the network was trained on them."""
  from temporal_jax import data

  def note(words: str) -> None:
    output.say(f"note: {words}", file=sys.stderr)

  lists = saved.description.get("lists") or {}
  trained = lists.get("train", {}).get("sha256") or ""
  channels = saved.clip_shape[-1]
  source = data.open_test_videos(
    options.data,
    split=options.split,
    annotations=options.annotations,
    videos=options.videos,
    tasks=options.tasks,
    frames=options.frames,
    flow=0 if channels == 3 else channels // 2,
    data_dir=options.data_dir,
    test_fraction=options.test_fraction,
    trained=trained,
    say=note,
  )
  if source.fingerprint() == trained:
    note("the network was trained on these videos: it will do worse on others.")
  return source


def _show(found: "Evaluation") -> None:
  """Prints the accuracies, and the classes of each task."""
  from temporal_jax import evaluation
  from temporal_jax.display import tables

  output.say(evaluation.headline(found.summary))
  for task, part in found.summary.get("tasks", {"": found.summary}).items():
    if task:
      output.say(f"{task}:")
    for line in _table(part, tables.output_width()):
      output.say(line)


def _table(part: Mapping[str, Any], width: int | None) -> Iterator[str]:
  """Yields the lines of the table of classes, the worst first."""
  from temporal_jax.display import names, tables

  classes = part["per_class"]
  value = "top1" if "confusion" in part else "ap"
  tested = [name for name, row in classes.items() if row["clips"]]
  worst = sorted(tested, key=lambda name: classes[name][value])
  head = ["class", "clips", "top-1" if value == "top1" else "AP"]
  rows = []
  for name in worst[:_LISTED]:
    row = classes[name]
    rows.append(
      [names.shortened(name, 32), str(row["clips"]), f"{row[value]:.1%}"]
      + ([_taken_for(part, name)] if value == "top1" else [])
    )
  if value == "top1":
    head.append("taken for")
  yield from tables.render(
    tables.columns(rows, head=head, right=(1, 2), fold=(3,)), width=width
  )
  if len(worst) > _LISTED:
    rest = f"{len(worst) - _LISTED} more classes"
    yield f"{rest}: {classes[worst[_LISTED]][value]:.1%} or better."
  if missing := [name for name in classes if not classes[name]["clips"]]:
    shown = ", ".join(names.shortened(name, 32) for name in missing[:5])
    more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
    yield f"no clip of {len(missing)} classes: {shown}{more}."


def _taken_for(part: Mapping[str, Any], name: str) -> str:
  """Returns the classes that a class was most taken for, with their clips."""
  from temporal_jax.display import names

  known = [*part["per_class"]]
  row = part["confusion"][known.index(name)]
  others = [(clips, other) for other, clips in zip(known, row, strict=True)]
  wrong = [pair for pair in others if pair[0] and pair[1] != name]
  best = sorted(wrong, key=lambda pair: -pair[0])[:2]
  return ", ".join(f"{names.shortened(other, 28)} ({n})" for n, other in best)
