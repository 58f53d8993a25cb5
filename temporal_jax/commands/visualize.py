"""Draw what networks look at in a video, as a picture and as a video.

gradcam: where a class is seen. rollout: which patches the class tokens heard
of. masks: regions that ILA aligns. calibration: TAdaConv's factors per frame.
cues: ATM's arithmetic between frames. features: how strongly a layer responds.
With several networks each has its own rows.
"""

import argparse
from typing import TYPE_CHECKING

from temporal_jax.commands.shared import output
from temporal_jax.commands.shared.arguments import (
  add_labels,
  path,
  read_labels,
  short_name,
)
from temporal_jax.storage import check_outputs

if TYPE_CHECKING:
  from temporal_jax.inference import SavedModel

COMPUTES = True
_KINDS = ("calibration", "cues", "features", "gradcam", "masks", "rollout")


def add_arguments(parser: argparse.ArgumentParser) -> None:
  """Adds the arguments of `visualize`."""
  parser.add_argument("video", type=path, metavar="FILE", help="video, or its pictures")
  parser.add_argument(
    "--model",
    required=True,
    action="append",
    metavar="DIR",
    help="converted or trained network, or its address hf://org/name; may be given "
    "several times",
  )
  parser.add_argument("--kind", choices=_KINDS, required=True, help="kind of maps")
  parser.add_argument(
    "--layer", metavar="NAME", help="a layer, the last that fits if not given"
  )
  parser.add_argument(
    "--label",
    metavar="NAME",
    help="a class, of gradcam, of several tasks as task:class; the predicted "
    "one if not given",
  )
  add_labels(parser)
  parser.add_argument("--png", required=True, type=path, metavar="OUT.png")
  parser.add_argument("--mp4", type=path, metavar="OUT.mp4")


def run(options: argparse.Namespace) -> int:
  """Draws; returns 0."""
  from temporal_jax.inference.visualize import visualize_video

  names = [short_name(model) for model in options.model]
  if len(set(names)) < len(names):
    names = options.model
  if len(set(names)) < len(names):
    raise ValueError(f"a network is given twice: {names}.")
  read = [options.video, *filter(None, [options.labels_file])]
  check_outputs({"--png": options.png, "--mp4": options.mp4}, read)
  labels = read_labels(options)
  lines = visualize_video(
    options.video,
    {
      name: _open(model, labels)
      for name, model in zip(names, options.model, strict=True)
    },
    kind=options.kind,
    png=options.png,
    mp4=options.mp4,
    layer=options.layer,
    label=options.label,
  )
  for line in lines:
    output.say(line)
  return 0


def _open(directory: str, labels: tuple[str, ...]) -> "SavedModel":
  """Reads a network, which compares clips with `labels`, if there are any."""
  from temporal_jax import inference

  saved = output.load_model(directory)
  return inference.with_labels(saved, labels) if labels else saved
