"""Combine and compare runs by the scores.npz they wrote.

A RUN is the workdir of a run, or a file of scores. Runs that find segments, of
verbs and of nouns, have detections instead, which `actions` joins and scores.
"""

import argparse
import pathlib
from typing import TYPE_CHECKING

from temporal_jax.commands.shared import output
from temporal_jax.commands.shared.arguments import path
from temporal_jax.storage import check_outputs

if TYPE_CHECKING:
  from temporal_jax.evaluation import Predictions, SavedScores

COMPUTES = False
_SCORES = "scores.npz"  # In the workdir of a run.


def add_arguments(parser: argparse.ArgumentParser) -> None:
  """Adds the arguments of `scores`."""
  commands = parser.add_subparsers(dest="task", required=True, metavar="TASK")
  combine = commands.add_parser("combine", help="average the scores of runs")
  combine.add_argument("out", type=path, metavar="OUT.npz")
  combine.add_argument("runs", type=path, metavar="RUN", nargs="+")
  combine.add_argument(
    "--weights", type=float, nargs="+", help="weights of the runs, 1 each if not given"
  )
  compare = commands.add_parser(
    "compare", help="draw by how much each class is recognized better"
  )
  compare.add_argument("before", type=path, metavar="BEFORE")
  compare.add_argument("after", type=path, metavar="AFTER")
  compare.add_argument("out", type=path, metavar="OUT.png")
  views = commands.add_parser("views", help="draw accuracy by clips scored")
  views.add_argument("out", type=path, metavar="OUT.png")
  views.add_argument("runs", type=path, metavar="RUN", nargs="+")
  views.add_argument(
    "--crops", type=int, help="crops of each clip (as the run was tested)"
  )
  frames = commands.add_parser(
    "frames", help="draw accuracy by frames of a clip, one line per network"
  )
  frames.add_argument("out", type=path, metavar="OUT.png")
  frames.add_argument(
    "runs",
    type=path,
    metavar="WORKDIR",
    nargs="+",
    help="folder of a run; of a run with stages, all of its stages",
  )
  upload = commands.add_parser(
    "upload", help="write scores of a test set as its server takes them"
  )
  upload.add_argument("out", type=path, metavar="OUT")
  upload.add_argument(
    "scores", type=path, metavar="SCORES", help="file that `testset` wrote"
  )
  upload.add_argument(
    "--format",
    required=True,
    choices=("ssv1", "ssv2", "ek100"),
    help="lines id;class, lines id;n;n;n;n;n of the best five, or a zip",
  )
  upload.add_argument(
    "--supervision",
    type=int,
    nargs=3,
    default=(),
    metavar=("PT", "TL", "TD"),
    help="levels of ek100: of pretraining, training labels and training data, "
    "0 to 5, see github.com/epic-kitchens/sls",
  )
  actions = commands.add_parser(
    "actions",
    help="average precision of actions by a run for verbs and a run for nouns",
    description="A verb and a noun whose segments overlap make an action; its score "
    "is the geometric mean of theirs, times the overlap, and its segment their mean, "
    "weighted by their scores. Neither the papers nor their code name a rule.",
  )
  actions.add_argument("verbs", type=path, metavar="VERB_RUN")
  actions.add_argument("nouns", type=path, metavar="NOUN_RUN")
  actions.add_argument(
    "--overlap",
    type=float,
    default=0.5,
    metavar="IOU",
    help="least intersection over union of a verb and a noun (%(default)s)",
  )
  actions.add_argument(
    "--num-nouns",
    type=int,
    default=5,
    metavar="N",
    help="best nouns that a verb's detection makes actions with (%(default)s)",
  )
  actions.add_argument(
    "--json", type=path, metavar="OUT.json", help="the same as numbers"
  )
  for command, default, words in (
    (combine, "softmax", "%(default)s"),
    (views, None, "as the run was tested"),
  ):
    command.add_argument(
      "--fusion",
      choices=("softmax", "logits"),
      default=default,
      help=f"values to average: probabilities or logits ({words})",
    )


def run(options: argparse.Namespace) -> int:
  """Runs it on the files."""
  tasks = {
    "combine": _combine,
    "compare": _compare,
    "views": _views,
    "frames": _frames,
    "upload": _upload,
    "actions": _actions,
  }
  tasks[options.task](options)
  return 0


def _combine(options: argparse.Namespace) -> None:
  from temporal_jax.evaluation import ensemble, save_scores

  check_outputs({"OUT.npz": options.out}, map(_file, options.runs))
  runs = [_load(run) for run in options.runs]
  together = ensemble(runs, options.weights, fusion=options.fusion)
  save_scores(
    options.out,
    together.predictions,
    together.class_names,
    protocol=together.protocol,
  )
  for file, run in zip(options.runs, runs, strict=True):
    output.say(f"{file}: {_words(run.predictions)}")
  output.say(f"together: {_words(together.predictions)}. {options.out}")


def _compare(options: argparse.Namespace) -> None:
  import numpy as np

  from temporal_jax.evaluation import class_gains, save_gains

  check_outputs({"OUT.png": options.out}, map(_file, (options.before, options.after)))
  before, after = _load(options.before), _load(options.after)
  gains = class_gains(before, after)
  output.say(f"{options.before}: {_words(before.predictions)}")
  output.say(f"{options.after}: {_words(after.predictions)}")
  if not np.nan_to_num(gains).any():
    output.say("No class is recognized better or worse: nothing is drawn.")
    return
  save_gains(
    gains,
    before.class_names,
    options.out,
    before=_name(options.before),
    after=_name(options.after),
  )
  output.say(str(options.out))


def _views(options: argparse.Namespace) -> None:
  from temporal_jax.evaluation import accuracy_by_clips, save_views

  check_outputs({"OUT.png": options.out}, map(_file, options.runs))
  curves, crops = {}, set()
  for run in options.runs:
    saved = _load(run)
    _check_views(run, saved)
    num_crops = options.crops or saved.protocol.get("num_crops", 1)
    fusion = options.fusion or saved.protocol.get("fusion", "softmax")
    name = _name(run)
    if name in curves:
      name = str(run)
    try:
      curves[name] = accuracy_by_clips(
        saved.predictions.views,
        saved.predictions.labels,
        num_crops=num_crops,
        fusion=fusion,
      )
    except ValueError as error:
      raise ValueError(f"{run}: {error}") from None
    crops.add(num_crops)
    words = (f"{n}: {value:.1%}" for n, value in curves[name].items())
    of_crops = f" of {num_crops} crops" if num_crops > 1 else ""
    output.say(f"{run}: top-1 by clips{of_crops} {', '.join(words)}")
  in_common = crops.pop() if len(crops) == 1 else 1
  save_views(curves, options.out, num_crops=in_common)
  output.say(str(options.out))


def _frames(options: argparse.Namespace) -> None:
  from temporal_jax.evaluation import accuracies, save_by_frames

  files = [file for run in options.runs for file in _of_stages(run)]
  check_outputs({"OUT.png": options.out}, files)
  values: dict[str, dict[int, float]] = {}
  for file in files:
    network, saved = _network(file.parent), _load(file)
    frames = saved.protocol["num_frames"]
    measured = accuracies(saved.predictions)
    if "top1" not in measured:
      raise ValueError(f"{file.parent} has several classes per video, and no top-1.")
    of_network = values.setdefault(network, {})
    if frames in of_network:
      raise ValueError(f"two runs are of {network} with {frames} frames.")
    of_network[frames] = 100 * measured["top1"]
    output.say(f"{file.parent}: {network}, {frames} frames: {of_network[frames]:.1f}%")
  save_by_frames(values, options.out, ylabel="top-1 accuracy (%)")
  output.say(str(options.out))


def _of_stages(run: pathlib.Path) -> list[pathlib.Path]:
  """Returns the files of scores of a run's stages; of other runs their own."""
  stages = sorted(run.glob(f"stage_*/{_SCORES}"), key=lambda file: len(str(file)))
  return stages or [run / _SCORES]


def _network(workdir: pathlib.Path) -> str:
  """Returns the network of a run, with its operator where that was chosen."""
  from temporal_jax.inference import read_description

  description = read_description(workdir)
  if description is None:
    raise FileNotFoundError(f"{workdir} has no model.json: it is no run.")
  operator = description["overrides"].get("temporal", "default")
  if operator == "default":
    return description["model"]
  return f"{description['model']}, {operator}"


def _upload(options: argparse.Namespace) -> None:
  from temporal_jax.evaluation import write_upload

  check_outputs({"OUT": options.out}, [_file(options.scores)])
  saved = _load(options.scores)
  write_upload(options.out, saved, options.format, supervision=options.supervision)
  output.say(f"{len(saved.predictions.ids)} videos: {options.out}")


def _actions(options: argparse.Namespace) -> None:
  from temporal_jax.evaluation.detection import score_actions

  check_outputs({"--json": options.json}, [options.verbs, options.nouns])
  scores = score_actions(
    options.verbs,
    options.nouns,
    overlap=options.overlap,
    num_nouns=options.num_nouns,
  )
  output.say(f"average mAP in {scores.num_films} films, at overlaps of 0.1 to 0.5:")
  for task, precision in scores.joined.items():
    own = ""
    if task in scores.single:
      own = f" ({scores.single[task].mean:.2%} of the {task} run's own segments)"
    output.say(f"  {task:<7} {precision.mean:7.2%}{own}")
  record = {
    kind: {
      task: {
        "mAP": one.mean,
        **{
          f"mAP@{threshold:g}": float(value)
          for threshold, value in zip(one.thresholds, one.by_threshold, strict=True)
        },
      }
      for task, one in by_task.items()
    }
    for kind, by_task in (("joined", scores.joined), ("single", scores.single))
  }
  output.write_json(options.json, record)


def _check_views(run: pathlib.Path, saved: "SavedScores") -> None:
  """Refuses scores of which there is no accuracy by clips."""
  if isinstance(saved.class_names, dict):
    tasks = ", ".join(saved.class_names)
    raise ValueError(
      f"{run} has several tasks, {tasks}: accuracy by clips needs a single one."
    )
  if saved.predictions.labels is None:
    raise ValueError(f"{run} has no labels: its accuracy is not known.")
  if saved.predictions.labels.ndim != 1:
    raise ValueError(
      f"{run} has several classes per video: accuracy by clips needs one."
    )
  if saved.predictions.views is None:
    raise ValueError(
      f"{run} holds no views: each video was scored by one, or they were "
      "averaged before. A run keeps them with config.eval.num_clips above 1."
    )


def _file(run: pathlib.Path) -> pathlib.Path:
  """Returns the file of scores of a run, given its folder or the file."""
  return run / _SCORES if run.is_dir() else run


def _load(run: pathlib.Path) -> "SavedScores":
  """Reads the scores of a run, given its folder or their file."""
  from temporal_jax.evaluation import load_scores

  return load_scores(_file(run))


def _words(predictions: "Predictions") -> str:
  """Returns the accuracies in a line."""
  from temporal_jax.evaluation import accuracies

  if predictions.labels is None:
    return f"{len(predictions.ids)} videos without labels"
  values = accuracies(predictions).items()
  return ", ".join(f"{name} {value:.1%}" for name, value in values)


def _name(file: pathlib.Path) -> str:
  """Returns the name of a run: its folder's name, or the file's."""
  file = file.resolve()
  if file.is_dir():
    return file.name
  return file.parent.name if file.name == _SCORES else file.stem
