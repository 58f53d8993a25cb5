r"""Classify videos by your own labels, without any training.

A network of videos and texts compares each video with the labels:

  temporal-jax zeroshot clips/ --model DIR --labels "riding a bike, falling"

or, with --annotations, with the classes of the test videos of HMDB51 or UCF101,
and prints the top-1 accuracy on the three splits, its mean and its deviation:

  temporal-jax zeroshot --annotations hmdb51 --root LISTS --videos VIDEOS \
    --model DIR

Exit code 1 if a video cannot be read; it is named, and the others go on.
"""

import argparse
import dataclasses
import sys
from typing import TYPE_CHECKING, Any

from temporal_jax.commands.shared import output
from temporal_jax.commands.shared.arguments import (
  add_labels,
  add_model,
  add_topk,
  add_videos,
  path,
  read_labels,
)
from temporal_jax.storage import check_outputs
from temporal_jax.validation import check_at_least

if TYPE_CHECKING:
  from temporal_jax.inference import SavedModel

_OF_FILES = {
  "files": "FILE|DIR|GLOB",
  "labels": "--labels",
  "labels_file": "--labels-file",
}
_OF_SPLITS = {
  "annotations": "--annotations",
  "root": "--root",
  "videos": "--videos",
}

COMPUTES = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
  """Adds the arguments of `zeroshot`."""
  add_videos(parser, "*")
  add_model(parser, "of videos and texts")
  add_labels(parser)
  parser.add_argument(
    "--template",
    action="append",
    metavar="TEXT",
    help='text around a label, such as "a video of a person {}."; may be '
    "given several times, and the texts are averaged; 'actions' means "
    "several that fit actions (default: only the label, as X-CLIP and ILA are "
    "trained)",
  )
  add_topk(parser, 5)
  parser.add_argument(
    "--json",
    type=path,
    metavar="OUT.json",
    help="list of {file, predictions: [{label, probability}], error}; with "
    "--annotations the accuracies",
  )
  parser.add_argument(
    "--annotations",
    choices=("hmdb51", "ucf101"),
    help="classify the test videos of a data set",
  )
  parser.add_argument(
    "--root", type=path, metavar="DIR", help="folder of the data set's lists"
  )
  parser.add_argument(
    "--videos",
    type=path,
    metavar="DIR",
    help="folder of the data set's class/video.avi",
  )


def run(options: argparse.Namespace) -> int:
  """Returns 0 if all videos were read, 1 if some were not."""
  from temporal_jax import inference

  check_at_least("--topk", options.topk, 1)
  templates = inference.parse_templates(options.template or ["plain"])
  if options.annotations:
    _check_given(options, needed=_OF_SPLITS, refused=_OF_FILES)
    check_outputs({"--json": options.json})
    saved = output.load_model(options.model)
    return _score_splits(options, saved, templates)
  given = "labels_file" if options.labels_file else "labels"
  needed = {name: _OF_FILES[name] for name in ("files", given)}
  _check_given(options, needed=needed, refused=_OF_SPLITS)
  files = inference.list_videos(options.files)
  check_outputs(
    {"--json": options.json}, [*files, *filter(None, [options.labels_file])]
  )
  labels = read_labels(options)
  saved = output.load_model(options.model)
  saved = inference.with_labels(saved, labels, templates=templates)
  return _classify(options, files, saved)


def _check_given(
  options: argparse.Namespace,
  *,
  needed: dict[str, str],
  refused: dict[str, str],
) -> None:
  """Refuses missing arguments, and those of the command's other use."""
  missing = [words for name, words in needed.items() if not vars(options)[name]]
  excess = [words for name, words in refused.items() if vars(options)[name]]
  if missing or excess:
    raise ValueError(
      f"give FILE|DIR|GLOB and --labels or --labels-file, or give "
      f"{', '.join(_OF_SPLITS.values())}; "
      + "; ".join(
        f"{word} {', '.join(words)}"
        for word, words in (("missing:", missing), ("too much:", excess))
        if words
      )
      + "."
    )


def _classify(
  options: argparse.Namespace, files: list[str], saved: "SavedModel"
) -> int:
  from temporal_jax import inference

  predictions = inference.Predictor(saved).predict(files)
  records = []
  for prediction in output.track("classifying")(predictions, len(files)):
    records.append(prediction.record(saved.class_names, options.topk))
    _show(records[-1])
  output.write_json(options.json, records)
  return 1 if any(record["error"] for record in records) else 0


def _show(record: dict[str, Any]) -> None:
  """Prints the labels of a video, or on stderr the error."""
  if record["error"] is not None:
    output.say(f"bad: {record['file']}: {record['error']}", file=sys.stderr)
    return
  output.say(record["file"])
  for label in record["predictions"]:
    output.say(f"  {label['probability']:6.1%}  {label['label']}")


def _score_splits(
  options: argparse.Namespace, saved: "SavedModel", templates: tuple[str, ...]
) -> int:
  from temporal_jax import inference

  scores = inference.score_splits(
    saved,
    options.annotations,
    options.root,
    options.videos,
    templates=templates,
    track=output.track("classifying"),
  )
  for file, error in scores.bad.items():
    output.say(f"bad: {file}: {error}", file=sys.stderr)
  counts = zip(scores.top1, scores.counts, strict=True)
  for split, (top1, count) in enumerate(counts, start=1):
    output.say(f"split {split}: top-1 {top1:.1%} of {count} videos")
  output.say(f"mean {scores.mean:.1%}, deviation {scores.deviation:.1%}")
  output.write_json(
    options.json,
    {
      **scores._asdict(),
      "mean": scores.mean,
      "deviation": scores.deviation,
      "model": saved.name,
      "templates": templates,
      "protocol": dataclasses.asdict(saved.protocol),
    },
  )
  return 1 if scores.bad else 0
