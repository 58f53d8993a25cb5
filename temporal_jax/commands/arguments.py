"""Arguments that several commands take, in the same words."""

import argparse


def add_videos(parser: argparse.ArgumentParser, nargs: str = "+") -> None:
  """Adds `files`, words for `inference.list_videos`."""
  parser.add_argument(
    "files",
    nargs=nargs,
    metavar="FILE|DIR|GLOB",
    help="videos; a folder stands for all in it at any depth",
  )


def add_model(parser: argparse.ArgumentParser, which: str = "") -> None:
  """Adds `--model`, for `inference.load_model`.

  Args:
    parser: Of the command.
    which: What sort of network it must be.
  """
  parser.add_argument(
    "--model",
    required=True,
    metavar="DIR",
    help="what convert_weights or a run of train.py wrote, or camera_motion, "
    "a small network to try" + (f": {which}" if which else ""),
  )


def add_topk(parser: argparse.ArgumentParser, default: int) -> None:
  """Adds `--topk`."""
  parser.add_argument(
    "--topk",
    type=int,
    default=default,
    metavar="K",
    help="classes to tell, the likeliest first (%(default)s)",
  )


def add_batch_size(parser: argparse.ArgumentParser, what: str) -> None:
  """Adds `--batch-size`, of `what` is computed at once."""
  parser.add_argument(
    "--batch-size",
    type=int,
    default=8,
    metavar="N",
    help=f"{what} computed at once, at most (%(default)s)",
  )
