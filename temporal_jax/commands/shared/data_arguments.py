"""Arguments of the commands of `temporal-jax data`."""

import argparse
from typing import Any

from temporal_jax.commands.shared.arguments import path


def add_arguments(parser: argparse.ArgumentParser) -> None:
  """Adds the arguments of `data`."""
  commands = parser.add_subparsers(dest="task", required=True, metavar="TASK")
  _add_check(commands)
  _add_inspect(commands)
  _add_transcode(commands)
  _add_build(commands)
  _add_unpack(commands)
  _add_segments(commands)


def _add_check(commands: Any) -> None:
  parser = commands.add_parser(
    "check",
    help="decode every video once",
    description="Decodes every video under ROOT once. It may be stopped and "
    "called again: unchanged files are not decoded twice. Exit code 1 if any "
    "is bad.",
  )
  _add_root(parser, "folder with videos at any depth")
  parser.add_argument(
    "--manifest",
    type=path,
    required=True,
    metavar="OUT.jsonl",
    help="frames, fps, size, bytes, sha256 and keyframes of each video",
  )
  parser.add_argument(
    "--bad",
    type=path,
    required=True,
    metavar="BAD.txt",
    help="a line per bad video: path, tab, reason; special characters are "
    "escaped as in JSON",
  )
  _add_threads(parser)
  parser.add_argument(
    "--time-limit",
    type=float,
    default=600.0,
    metavar="SECONDS",
    help="seconds that a video may take (%(default)s)",
  )


def _add_inspect(commands: Any) -> None:
  parser = commands.add_parser(
    "inspect",
    help="look at labels and files",
    description="Prints the classes' counts, the labels' range and gaps, how "
    "frames are numbered, missing files, and the same video in several splits. "
    "Exit code 1 if something is wrong.",
  )
  _add_root(parser, "class/video, train|val|test/class/video, tar files or CSV")
  parser.add_argument(
    "--manifest", type=path, metavar="FILE", help="manifest of a check of the folder"
  )
  parser.add_argument(
    "--sheet", type=path, metavar="OUT.png", help="pictures of some videos"
  )
  parser.add_argument(
    "--json", type=path, metavar="OUT.json", help="all that was found"
  )
  parser.add_argument(
    "--frames",
    default="",
    metavar="PATTERN",
    help="names of the pictures of videos that are folders, as img_*.jpg (found out)",
  )
  _add_labels(parser)


def _add_transcode(commands: Any) -> None:
  parser = commands.add_parser(
    "transcode",
    help="make videos small and quick to read",
    description="Writes every video under ROOT to OUT as H.264 in mp4, frame "
    "by frame at the same times, without sound. It may be stopped and called "
    "again: existing videos are kept. Exit code 1 if any is bad.",
  )
  _add_root(parser, "folder with videos at any depth")
  parser.add_argument("out", type=path, metavar="OUT", help="folder to write")
  for flag, default, words in (
    ("--short-side", 256, "pixels of the shorter side"),
    ("--gop", 12, "frames from one keyframe to the next, at most"),
    ("--crf", 18, "of x264: 0 is lossless, 51 the worst"),
  ):
    parser.add_argument(flag, type=int, default=default, help=f"{words} (%(default)s)")
  _add_threads(parser)


def _add_build(commands: Any) -> None:
  parser = commands.add_parser(
    "build",
    help="put videos and annotations into files that are quick to read",
    description="Writes the videos of a data set, as they are, and their "
    "labels to ArrayRecord files in OUT/NAME; train.py reads them by "
    "--config.data.name=NAME --config.data.data_dir=OUT. A NAME of published "
    "annotations defines what ROOT holds; any other is a name for your own "
    "videos: ROOT is then a folder class/video or a CSV file path,label.",
  )
  parser.add_argument(
    "name",
    metavar="NAME",
    help="name of the annotations, k400, ssv2, ..., or a name for your own videos",
  )
  _add_root(parser, "folder of the annotation files as downloaded, or your own videos")
  parser.add_argument("out", type=path, metavar="OUT", help="folder to write")
  parser.add_argument(
    "--videos", type=path, help="folder of the annotations' videos (ROOT)"
  )
  _add_labels(parser)


def _add_unpack(commands: Any) -> None:
  parser = commands.add_parser(
    "unpack",
    help="write videos of an embedded data set as files",
    description="Writes the videos of a data set that needs no download, "
    "camera_motion, compound_motion or something_moves, to OUT/train/CLASS and "
    "OUT/test/CLASS, to try the commands on. OUT/clips.csv lists them, clips of "
    "one photograph as a group.",
  )
  parser.add_argument("name", metavar="NAME", help="name of the data set")
  parser.add_argument("out", type=path, metavar="OUT", help="folder to write")
  parser.add_argument(
    "--per-class",
    type=int,
    default=0,
    metavar="N",
    help="training videos of a class; 0 for all (%(default)s)",
  )
  parser.add_argument(
    "--skip",
    type=int,
    default=0,
    metavar="N",
    help="training videos of a class to leave out before them (%(default)s)",
  )
  parser.add_argument(
    "--data-dir",
    type=path,
    default="data",
    metavar="DIR",
    help="folder of built data sets, where it is built if missing (%(default)s)",
  )


def _add_segments(commands: Any) -> None:
  parser = commands.add_parser(
    "segments",
    help="look at the labelled segments of films",
    description="Counts the segments of each class in a CSV file "
    "path,start,end,label and finds errors: in rows, missing videos, and, "
    "with --features, films whose features are missing, damaged or of another "
    "kind. Exit code 1 if something is.",
  )
  parser.add_argument("list", type=path, metavar="LIST.csv", help="the list")
  parser.add_argument(
    "--features",
    type=path,
    metavar="DIR",
    help="the films' features, a folder or an HDF5 file",
  )
  parser.add_argument(
    "--png", type=path, metavar="OUT.png", help="picture of some films' segments"
  )


def add_tasks(parser: argparse.ArgumentParser) -> None:
  """Adds the argument that names the columns of several tasks."""
  parser.add_argument(
    "--tasks",
    nargs="+",
    default=(),
    metavar="COLUMN",
    help="columns of the CSV file that are tasks",
  )


def _add_labels(parser: argparse.ArgumentParser) -> None:
  """Adds arguments about the labels and splits of a folder or a CSV file."""
  add_tasks(parser)
  parser.add_argument(
    "--test-split",
    default="",
    metavar="NAME",
    help="split to test (val, or test without it)",
  )
  parser.add_argument(
    "--test-fraction",
    type=float,
    default=0.2,
    help="share of the videos to test where no split is given (%(default)s)",
  )


def _add_root(parser: argparse.ArgumentParser, words: str) -> None:
  parser.add_argument("root", type=path, metavar="ROOT", help=words)


def _add_threads(parser: argparse.ArgumentParser) -> None:
  parser.add_argument(
    "--threads", type=int, default=4, help="videos at a time (%(default)s)"
  )
