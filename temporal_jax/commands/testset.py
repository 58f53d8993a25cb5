r"""Score the test set of a data set, whose classes are not published.

  temporal-jax testset OUT.npz --annotations ssv2 --root LABELS \
    --videos VIDEOS --model runs/x
  temporal-jax scores upload OUT.csv OUT.npz --format ssv2

docs/annotations.md lists the files in LABELS. Videos are tested as the network
was. A network of optical flow takes folders of pictures, see --frames. Scores
of several networks can be averaged before the upload: temporal-jax scores
combine. Exit code 1 if a video cannot be read; it is named, and the others go
on.
"""

import argparse
import functools
import sys

from temporal_jax.commands.shared import output
from temporal_jax.commands.shared.arguments import add_batch_size, add_model, path
from temporal_jax.storage import check_outputs

COMPUTES = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
  """Adds the arguments of `testset`."""
  parser.add_argument("out", type=path, metavar="OUT.npz")
  add_model(parser)
  parser.add_argument(
    "--annotations",
    required=True,
    metavar="NAME",
    help="name of the data set: ek100, ssv1 or ssv2",
  )
  parser.add_argument(
    "--root",
    type=path,
    required=True,
    metavar="DIR",
    help="folder of the data set's lists",
  )
  parser.add_argument(
    "--videos",
    type=path,
    required=True,
    metavar="DIR",
    help="folder of its videos",
  )
  parser.add_argument(
    "--frames",
    default="",
    metavar="PATTERN",
    help='names of pictures in folders, "img_*.jpg"; of flow "x_*.jpg,y_*.jpg"',
  )
  add_batch_size(parser, "views, of several videos,")


def run(options: argparse.Namespace) -> int:
  """Returns 0 if all videos were read, 1 if some were not."""
  from temporal_jax import evaluation, inference
  from temporal_jax.data.annotations import AnnotatedSource, open_test_set
  from temporal_jax.data.video.readers import with_pattern

  check_outputs({"OUT.npz": options.out})
  found = open_test_set(options.annotations, options.root)
  saved = output.load_model(options.model)
  channels = saved.clip_shape[-1]
  as_video = functools.partial(
    with_pattern,
    pattern=options.frames,
    flow=0 if channels == 3 else channels // 2,
  )
  source = AnnotatedSource(found, "test", options.videos, as_video=as_video)
  scores, bad, _ = inference.score_test_set(
    saved,
    source,
    batch_size=options.batch_size,
    track=output.track("scoring"),
  )
  for name, error in bad.items():
    output.say(f"bad: {name}: {error}", file=sys.stderr)
  if scores is None:
    return 1
  predictions = scores.predictions
  evaluation.save_scores(
    options.out, predictions, scores.class_names, protocol=scores.protocol
  )
  known = ""
  if predictions.labels is not None:
    values = evaluation.accuracies(predictions).items()
    known = "".join(f", {name} {value:.1%}" for name, value in values)
  output.say(f"{len(predictions.ids)} of {len(source)} videos{known}: {options.out}")
  return 1 if bad else 0
