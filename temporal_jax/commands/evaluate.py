r"""Evaluate a trained network on labelled videos, without training.

  temporal-jax evaluate --model runs/mine --data DIR --out tested
  temporal-jax evaluate --model camera_motion --data camera_motion
  temporal-jax evaluate --model runs/k400 --data LISTS --annotations k400 \
    --videos VIDEOS --views 10x3

Prints the accuracies and a table of the classes, the worst first. OUT has
report.json, scores.npz, confusion.png, calibration.png and misclassified.png,
the surest mistakes. Classes are found by their names; a class that the network
does not know is refused. Exit code 1 if a video cannot be read; it is named,
and the others go on.
"""

import argparse
import contextlib
import functools
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from temporal_jax.commands.shared import output
from temporal_jax.commands.shared.arguments import (
  add_batch_size,
  add_model,
  add_threads,
  add_views,
  path,
)
from temporal_jax.commands.shared.data_arguments import add_tasks

if TYPE_CHECKING:
  import rich.table

  from temporal_jax.data import Source
  from temporal_jax.inference import Evaluation, SavedModel

COMPUTES = True
_LISTED = 20  # Classes of the printed table, at most.
_TAKEN_FOR = 32  # Letters of two classes in its last column, at most.


def add_arguments(parser: argparse.ArgumentParser) -> None:
  """Adds the arguments of `evaluate`."""
  add_model(parser)
  parser.add_argument(
    "--data",
    required=True,
    metavar="WHERE",
    help="class/video or split/class/video, a CSV file path,label, the folder of "
    "the files of --annotations, or a prepared data set: its folder or name, as "
    "camera_motion",
  )
  parser.add_argument(
    "--split",
    default="",
    metavar="NAME",
    help="split to score: train, val, test or, of a list, all (test, or val without "
    "it; of a list without splits all, except the videos that the network was trained "
    "on)",
  )
  parser.add_argument(
    "--annotations",
    default="",
    metavar="NAME",
    help="name of the data set: k400, ssv2, ..., see docs/annotations.md",
  )
  parser.add_argument(
    "--videos",
    default="",
    metavar="DIR",
    help="folder of the videos of --annotations (WHERE)",
  )
  add_tasks(parser)
  parser.add_argument(
    "--frames",
    default="",
    metavar="PATTERN",
    help='names of pictures in folders, "img_*.jpg"; of flow "x_*.jpg,y_*.jpg"',
  )
  parser.add_argument(
    "--data-dir",
    type=path,
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
    "--out", type=path, metavar="OUT", help="folder to write, a new one"
  )
  parser.add_argument(
    "--calibrate",
    action="store_true",
    help="fit the temperature of the network on these videos, and store it in its "
    "model.json: probabilities are then as sure as they are right",
  )
  add_batch_size(parser, "views, of several videos,")
  add_threads(parser)


def run(options: argparse.Namespace) -> int:
  """Returns 0 if all videos were read, 1 if some were not."""
  from temporal_jax import inference
  from temporal_jax.storage import whole_folder

  if options.out and options.out.exists():
    raise FileExistsError(f"--out {options.out} exists already: give a new folder.")
  if options.calibrate and not path(options.model).is_dir():
    raise ValueError(
      f"--calibrate writes into the folder of a network, and {options.model} is no "
      "folder: write one by `temporal-jax export DIR --format savable`."
    )
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
  temperature = _temperature(saved, found) if options.calibrate else None
  _show(found)
  if options.out:
    with whole_folder(options.out) as partial:
      partial.mkdir()
      inference.write_evaluation(partial, found)
    files = ", ".join(sorted(file.name for file in options.out.iterdir()))
    output.say(f"{options.out}: {files}")
  if temperature is not None:
    inference.store_temperature(options.model, temperature)
    output.say(f"temperature of {options.model}: {_rounded(temperature)}")
  return 1 if found.bad else 0


def _open(options: argparse.Namespace, saved: "SavedModel") -> "Source":
  """Opens the videos, and warns if the network was trained on them."""
  from temporal_jax import data
  from temporal_jax.data.open_test_videos import ALL
  from temporal_jax.data.tools.doubtful_tests import few_test_videos

  def note(words: str) -> None:
    output.say(f"note: {words}", file=sys.stderr)

  lists = saved.description.get("lists") or {}
  trained = lists.get("train", {}).get("sha256") or ""
  channels = saved.clip_shape[-1]
  opened = functools.partial(
    data.open_test_videos,
    options.data,
    annotations=options.annotations,
    videos=options.videos,
    tasks=options.tasks,
    frames=options.frames,
    flow=0 if channels == 3 else channels // 2,
    data_dir=options.data_dir,
    test_fraction=options.test_fraction,
    trained=trained,
  )
  source = opened(split=options.split, say=note)
  known = source
  if options.split == ALL:
    with contextlib.suppress(ValueError):  # There is no such split.
      known = opened(split="train", say=lambda words: None)
  if known.fingerprint() == trained:
    which = "these" if known is source else f"{len(known)} of these"
    if options.calibrate:
      raise ValueError(
        f"--calibrate needs videos that the network was not trained on; it was on "
        f"{which}."
      )
    note(f"the network was trained on {which} videos: it will do worse on others.")
  # The labels of prepared data sets are with the videos.
  if isinstance(source, data.FileSource) and (words := few_test_videos(source)):
    note(words)
  return source


def _temperature(saved: "SavedModel", found: "Evaluation") -> float | dict[str, float]:
  """Returns the temperature of the network, or a dict with one per task."""
  from temporal_jax import evaluation

  predictions = found.scores.predictions
  fitted = evaluation.fit_temperature(
    predictions.scores if predictions.views is None else predictions.views,
    predictions.labels,
    fusion=found.protocol.fusion,
  )
  # The scores are of logits that were divided by an earlier one.
  earlier = saved.description.get("temperature") or 1.0
  if not isinstance(fitted, dict):
    return fitted * earlier
  if not isinstance(earlier, dict):
    earlier = dict.fromkeys(fitted, earlier)
  return {task: value * earlier[task] for task, value in fitted.items()}


def _rounded(temperature: float | Mapping[str, float]) -> str:
  """Returns a temperature in words, one per task."""
  if not isinstance(temperature, Mapping):
    return f"{temperature:.3f}"
  return ", ".join(f"{task} {value:.3f}" for task, value in temperature.items())


def _show(found: "Evaluation") -> None:
  """Prints the accuracies, and the calibration and classes of each task."""
  from temporal_jax import evaluation
  from temporal_jax.display import tables

  summary = found.summary
  counts = [summary[f"clips_{what}"] for what in ("scored", "decoded", "listed")]
  output.say(f"{evaluation.coverage(*counts)}.")
  for line in tables.render(_accuracies(summary)):
    output.say(line)
  tasks = summary.get("tasks", {"": summary})
  calibrations = summary["calibration"]
  for task, part in tasks.items():
    if task:
      output.say(f"{task}:")
    calibration = calibrations[task] if task else calibrations
    output.say(
      f"mean confidence {calibration['confidence']:.1%}, right are "
      f"{calibration['accuracy']:.1%} of {calibration['examples']}; expected "
      f"calibration error {calibration['ece']:.1%}."
    )
    for line in _classes(part, tables.output_width()):
      output.say(line)


def _accuracies(summary: Mapping[str, Any]) -> "rich.table.Table":
  """Returns the table of accuracies with their intervals."""
  from temporal_jax.display import tables

  intervals = summary["intervals"]
  rows = []
  for name, interval in intervals["values"].items():
    words = f"{interval[0]:.1%} to {interval[1]:.1%}" if interval else "unknown"
    shown = name.replace("top", "top-").replace("_", " ")
    rows.append((shown, f"{summary[name]:.1%}", words))
  head = ("accuracy", "", f"{intervals['confidence']:.0%} confidence interval")
  return tables.columns(rows, head=head, right=(1,))


def _classes(part: Mapping[str, Any], width: int | None) -> Iterator[str]:
  """Yields the lines of the table of classes, the worst first."""
  from temporal_jax.display import names, tables

  classes = part["per_class"]
  value = "top1" if "confusion" in part else "ap"
  tested = [name for name, row in classes.items() if row["clips"]]
  # Between equal classes, many clips prove more than few.
  worst = sorted(tested, key=lambda n: (classes[n][value], -classes[n]["clips"]))
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
    line = f"no clip of {len(missing)} classes: {shown}{more}."
    yield from (tables.fold_line(line, width) if width else line).splitlines()


def _taken_for(part: Mapping[str, Any], name: str) -> str:
  """Returns the classes that a class was most taken for, with their clips."""
  from temporal_jax.display import names

  known = [*part["per_class"]]
  row = part["confusion"][known.index(name)]
  others = [(clips, other) for other, clips in zip(known, row, strict=True)]
  wrong = [pair for pair in others if pair[0] and pair[1] != name]
  best = sorted(wrong, key=lambda pair: -pair[0])[:2]
  shown = [f"{names.shortened(other, 24)} ({n})" for n, other in best]
  both = ", ".join(shown)
  return both if len(both) <= _TAKEN_FOR else shown[0]
