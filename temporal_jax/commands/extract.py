r"""Write the features of the sliding windows of videos to npz files.

  temporal-jax extract videos/ features/ --model models/atm

For each video OUT_DIR/path/name.npz holds `features` (windows, ...) float32;
`times`, the middle of each window in seconds; `fps`; `stride` and `window` in
frames; `offset`, the first frame of the first window; `duration` in seconds;
and the names of the feature and of its network. Window i is the frames from
offset + i stride to offset + i stride + window - 1. Files that are there are
kept: the same call goes on where one was stopped. Exit code 1 if a video cannot
be read; it is named, and the others go on.

A clip is the middle frame of each of T equal parts of a window, T the frames of
the network's clips. TAdaConv's paper (appendix C.2) has features of 8 frames, 8
apart, of whole frames: of EPIC-Kitchens-100 every 8 of 60 frames per second, of
HACS every 16 of 30:

  temporal-jax extract EPIC out/ --model DIR --window 64 --stride 8 \
    --fps 60 --short-side 224
  temporal-jax extract HACS out/ --model DIR --window 64 --stride 16 \
    --fps 30 --short-side 128

A network is compiled for each size of whole frames; one with learned positions
of a square takes them only with --stretch.

What ActionFormer calls feat_stride and num_frames are `stride` and `window`.
"""

import argparse
import pathlib

from temporal_jax.commands.shared import output
from temporal_jax.commands.shared.arguments import add_batch_size, add_model, path

COMPUTES = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
  """Adds the arguments of `extract`."""
  parser.usage = (
    "temporal-jax extract FILE|DIR|GLOB [...] OUT_DIR --model DIR [options]"
  )
  parser.add_argument(
    "paths",
    nargs="*",
    metavar="PATH",
    help="videos, folders of them at any depth, or patterns; the last one is "
    "the folder to write",
  )
  add_model(parser)
  parser.add_argument(
    "--features",
    default="pooled",
    metavar="NAME",
    help="pooled, the classifier's input; tokens, the last block's output; logits "
    "of the classes, of several tasks logits/TASK; or the name of a module "
    "(%(default)s)",
  )
  parser.add_argument(
    "--list-names",
    action="store_true",
    help="print the names there are, with the shape of a window's features",
  )
  parser.add_argument(
    "--window",
    type=int,
    metavar="FRAMES",
    help="frames of a window (16, or the network's clips' if they have more)",
  )
  parser.add_argument(
    "--stride",
    type=int,
    default=8,
    metavar="FRAMES",
    help="frames from one window to the next (%(default)s)",
  )
  parser.add_argument(
    "--stretch",
    action="store_true",
    help="whole frames, stretched to the network's square, not their middle",
  )
  parser.add_argument(
    "--short-side",
    type=int,
    metavar="PIXELS",
    help="whole frames, their shorter side resized to this, as they are",
  )
  parser.add_argument(
    "--fps",
    type=float,
    metavar="RATE",
    help="count frames as if videos had this many a second, by the nearest ones "
    "(each video's own)",
  )
  add_batch_size(parser, "windows")


def run(options: argparse.Namespace) -> int:
  """Returns 0 if all videos were read, 1 if some were not."""
  from temporal_jax import inference

  model = inference.begin_loading(options.model)
  if options.list_names:
    for name, shape in inference.feature_shapes(model.wait()).items():
      output.say(f"{name}  ({', '.join(map(str, shape))})")
    return 0
  if len(options.paths) < 2:
    raise ValueError(
      f"give videos and, last, the folder to write; got {options.paths}."
    )
  *videos, out = options.paths
  out = path(out)
  if out.is_file():
    raise NotADirectoryError(f"{out}, the last path, is no folder to write.")
  files, batch_size = inference.output_files(videos, out), options.batch_size
  extractor = inference.FeatureExtractor(
    model,
    options.features,
    window=options.window,
    stride=options.stride,
    batch_size=batch_size,
    stretch=options.stretch,
    short_side=options.short_side,
    # A long video has full batches; nothing is compiled if all files exist.
    expected=None if all(map(pathlib.Path.exists, files.values())) else batch_size,
  )
  done = inference.extract_files(
    extractor,
    files,
    fps=options.fps,
    track=output.track("extracting"),
  )
  for video, reason in sorted(done.bad.items()):
    output.say(f"bad: {video}: {reason}")
  output.say(
    f"{done.written} files written to {out}, {done.kept} were there; "
    f"{len(done.bad)} bad."
  )
  return 1 if done.bad else 0
