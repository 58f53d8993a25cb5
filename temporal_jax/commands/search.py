"""Find the videos of a folder that fit a text.

Features of the videos are kept in a file; only those of new or changed videos
are computed. Exit code 1 if a video cannot be read; it is named, and the
others go on.
"""

import argparse
import sys

from temporal_jax.commands.shared import output
from temporal_jax.commands.shared.arguments import add_model, path
from temporal_jax.storage import check_outputs
from temporal_jax.validation import check_at_least

COMPUTES = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
  """Adds the arguments of `search`."""
  parser.add_argument(
    "root", type=path, metavar="DIR", help="folder with videos at any depth"
  )
  parser.add_argument("text", metavar="TEXT", help="description of the videos")
  add_model(parser, "of videos and texts")
  parser.add_argument(
    "--index",
    type=path,
    required=True,
    metavar="FILE.npz",
    help="file of the features of the videos; made if it is not there",
  )
  parser.add_argument(
    "--topk",
    type=int,
    default=10,
    metavar="K",
    help="videos that are shown, at most (%(default)s)",
  )
  parser.add_argument(
    "--json",
    type=path,
    metavar="OUT.json",
    help="list of {file, similarity}, the best first",
  )


def run(options: argparse.Namespace) -> int:
  """Returns 0 if all videos were read, 1 if some were not."""
  from temporal_jax import inference
  from temporal_jax.data.listing.scan_folder import list_videos

  check_at_least("--topk", options.topk, 1)
  videos = (options.root / video for video in list_videos(options.root).videos)
  check_outputs({"--index": options.index, "--json": options.json}, videos)
  search = inference.VideoSearch(output.load_model(options.model), options.index)
  # Now, so that a text that does not fit is not found after hours.
  search.encode_text([options.text])
  update = search.update(options.root, track=output.track("reading videos"))
  for video in update.gone:
    output.say(f"gone: {video}", file=sys.stderr)
  for video, error in update.bad.items():
    output.say(f"bad: {video}: {error}", file=sys.stderr)
  output.say(
    f"{options.index}: {update.computed} videos computed, {update.kept} known "
    f"from before, {len(update.gone)} gone, {len(update.bad)} bad.",
    file=sys.stderr,
  )
  found = [
    one._replace(file=str(options.root / one.file))
    for one in search(options.text, options.topk)
  ]
  for file, similarity in found:
    output.say(f"{similarity:7.4f}  {file}")
  output.write_json(options.json, [one._asdict() for one in found])
  return 1 if update.bad else 0
