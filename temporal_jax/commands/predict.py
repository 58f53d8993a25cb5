"""Predict the likeliest classes of videos, with probabilities.

Exit code 1 if a video cannot be read; it is named, and the others go on.
"""

import argparse
import sys
from typing import TYPE_CHECKING

from temporal_jax.commands.shared import output
from temporal_jax.commands.shared.arguments import (
  add_batch_size,
  add_model,
  add_threads,
  add_topk,
  add_videos,
  add_views,
  path,
)
from temporal_jax.storage import check_outputs
from temporal_jax.validation import check_at_least

if TYPE_CHECKING:
  from temporal_jax.inference import Prediction, Predictor

COMPUTES = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
  """Adds the arguments of `predict`."""
  add_videos(parser)
  add_model(parser)
  add_topk(parser, 5)
  add_views(parser)
  parser.add_argument(
    "--json",
    type=path,
    metavar="OUT.json",
    help="list of {file, predictions: [{label, probability}], error}; of "
    "several tasks predictions are a dict of such lists",
  )
  parser.add_argument(
    "--annotate",
    type=path,
    metavar="OUT.mp4",
    help="the video with the classes written on it; of one video only",
  )
  add_batch_size(parser, "views, of several videos,")
  add_threads(parser)


def run(options: argparse.Namespace) -> int:
  """Returns 0 if all videos were read, 1 if some were not."""
  from temporal_jax import inference

  check_at_least("--topk", options.topk, 1)
  videos = inference.list_videos(options.files)
  _check_outputs(options, videos)
  predictor = _predictor(options, len(videos))
  predictions = []
  shown = output.track("predicting")
  for prediction in shown(predictor.predict(videos), len(videos)):
    _show(prediction, predictor, options.topk)
    predictions.append(prediction)
  names = predictor.saved.class_names
  output.write_json(
    options.json, [one.record(names, options.topk) for one in predictions]
  )
  if any(prediction.error for prediction in predictions):
    return 1
  if options.annotate:
    return _annotate(predictions[0], predictor, options)
  return 0


def _check_outputs(options: argparse.Namespace, videos: list[str]) -> None:
  """Refuses files that cannot be written, before anything is computed."""
  from temporal_jax.inference.annotate import check_suffix

  check_outputs({"--json": options.json, "--annotate": options.annotate}, videos)
  if options.annotate:
    if len(videos) > 1:
      raise ValueError(f"--annotate writes one video, got {len(videos)} to read.")
    check_suffix(options.annotate)


def _predictor(options: argparse.Namespace, num_videos: int) -> "Predictor":
  from temporal_jax import inference

  model = output.begin_loading(options.model)
  protocol = model.outline.protocol
  if options.views:
    protocol = inference.with_views(protocol, options.views)
    output.say(f"{protocol.describe()}.", file=sys.stderr)
  return inference.Predictor(
    model,
    protocol=protocol,
    batch_size=options.batch_size,
    num_threads=options.threads,
    num_videos=num_videos,
  )


def _show(prediction: "Prediction", predictor: "Predictor", k: int) -> None:
  """Prints the best classes of a video, or on stderr the error."""
  if prediction.error:
    output.say(f"bad: {prediction.file}: {prediction.error}", file=sys.stderr)
    return
  output.say(prediction.file)
  for label, probability in _labels(prediction, predictor, k):
    output.say(f"  {probability:6.1%}  {label}")


def _annotate(
  prediction: "Prediction",
  predictor: "Predictor",
  options: argparse.Namespace,
) -> int:
  from temporal_jax.data import VideoError
  from temporal_jax.inference.annotate import annotate

  labels = _labels(prediction, predictor, options.topk)
  try:
    annotate(prediction.file, options.annotate, labels)
  except VideoError as error:
    output.say(f"bad: {prediction.file}: {error}", file=sys.stderr)
    return 1
  return 0


def _labels(
  prediction: "Prediction", predictor: "Predictor", k: int
) -> list[tuple[str, float]]:
  """Returns the best classes, of several tasks one task after another."""
  top = prediction.top(predictor.saved.class_names, k)
  if not isinstance(top, dict):
    return top
  return [
    (f"{task}: {label}", probability)
    for task, labels in top.items()
    for label, probability in labels
  ]
