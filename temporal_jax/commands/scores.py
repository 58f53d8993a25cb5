"""Combine and compare runs by the scores.npz they wrote."""

import argparse
import pathlib
from typing import TYPE_CHECKING

from temporal_jax.commands import output

if TYPE_CHECKING:
  from temporal_jax.evaluation import Predictions


def add_arguments(parser: argparse.ArgumentParser) -> None:
  """Says what `scores` takes."""
  commands = parser.add_subparsers(dest="task", required=True, metavar="TASK")
  combine = commands.add_parser("combine", help="average the scores of runs")
  combine.add_argument("out", type=pathlib.Path, metavar="OUT.npz")
  combine.add_argument("runs", type=pathlib.Path, metavar="RUN", nargs="+")
  combine.add_argument(
    "--weights", type=float, nargs="+", help="of the runs, 1 each if not given"
  )
  compare = commands.add_parser(
    "compare", help="draw by how much each class is told better"
  )
  compare.add_argument("before", type=pathlib.Path, metavar="BEFORE")
  compare.add_argument("after", type=pathlib.Path, metavar="AFTER")
  compare.add_argument("out", type=pathlib.Path, metavar="OUT.png")
  views = commands.add_parser("views", help="draw accuracy by clips scored")
  views.add_argument("out", type=pathlib.Path, metavar="OUT.png")
  views.add_argument("runs", type=pathlib.Path, metavar="RUN", nargs="+")
  views.add_argument(
    "--crops", type=int, default=1, help="of each clip (%(default)s)"
  )
  for command in (combine, views):
    command.add_argument(
      "--fusion",
      choices=("softmax", "logits"),
      default="softmax",
      help="what is averaged: probabilities or logits (%(default)s)",
    )


def run(options: argparse.Namespace) -> int:
  """Runs it on the files."""
  tasks = {"combine": _combine, "compare": _compare, "views": _views}
  tasks[options.task](options)
  return 0


def _combine(options: argparse.Namespace) -> None:
  from temporal_jax.evaluation import ensemble, load_scores, save_scores

  runs = [load_scores(file) for file in options.runs]
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
  from temporal_jax.evaluation import class_gains, load_scores, save_gains

  before, after = load_scores(options.before), load_scores(options.after)
  gains = class_gains(before, after)
  save_gains(
    gains,
    before.class_names,
    options.out,
    before=_name(options.before),
    after=_name(options.after),
  )
  output.say(f"{options.before}: {_words(before.predictions)}")
  output.say(f"{options.after}: {_words(after.predictions)}. {options.out}")


def _views(options: argparse.Namespace) -> None:
  from temporal_jax.evaluation import accuracy_by_clips, load_scores, save_views

  curves = {}
  for file in options.runs:
    saved = load_scores(file).predictions
    if saved.views is None or isinstance(saved.views, dict):
      raise ValueError(f"{file} holds no views of clips of one class.")
    curves[_name(file)] = accuracy_by_clips(
      saved.views,
      saved.labels,
      num_crops=options.crops,
      fusion=options.fusion,
    )
    words = (f"{n}: {value:.1%}" for n, value in curves[_name(file)].items())
    output.say(f"{file}: top-1 by clips {', '.join(words)}")
  save_views(curves, options.out, num_crops=options.crops)
  output.say(str(options.out))


def _words(predictions: "Predictions") -> str:
  """Returns the accuracies in a line."""
  from temporal_jax.evaluation import accuracies

  values = accuracies(predictions).items()
  return ", ".join(f"{name} {value:.1%}" for name, value in values)


def _name(file: pathlib.Path) -> str:
  """Returns what to call a run: its folder's name, or the file's."""
  return file.parent.name if file.name == "scores.npz" else file.stem
