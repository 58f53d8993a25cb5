"""Command-line arguments that several commands share."""

import argparse
import pathlib


def path(text: str) -> pathlib.Path:
  """Returns the path of an argument, with ~ as the home folder.

  Shells leave the ~ of --out=~/new as it is.
  """
  return pathlib.Path(text).expanduser()


def add_videos(parser: argparse.ArgumentParser, nargs: str = "+") -> None:
  """Adds `files`, words for `inference.list_videos`."""
  parser.add_argument(
    "files",
    nargs=nargs,
    metavar="FILE|DIR|GLOB",
    help="videos; a folder means all videos in it at any depth",
  )


def add_model(parser: argparse.ArgumentParser, which: str = "") -> None:
  """Adds `--model`, for `inference.load_model`.

  Args:
    parser: Parser of the command.
    which: Kind of network that the command takes.
  """
  parser.add_argument(
    "--model",
    required=True,
    metavar="DIR",
    help="folder that convert_weights or a run wrote, an address "
    "hf://org/name, or camera_motion, a small network to try"
    + (f": {which}" if which else ""),
  )


def add_network(parser: argparse.ArgumentParser) -> None:
  """Adds `network`, a NAME or DIR for `is_saved`, and its clips' size."""
  parser.add_argument(
    "network",
    metavar="NAME|DIR",
    help="name that temporal-jax models lists; or a converted or trained directory, "
    "its address hf://org/name, or camera_motion",
  )
  parser.add_argument(
    "--frames", type=int, metavar="T", help="frames of a clip (the network's)"
  )
  parser.add_argument(
    "--image-size",
    type=int,
    metavar="S",
    help="side of a frame, in pixels (the network's)",
  )


def is_saved(name: str) -> bool:
  """Whether a word NAME|DIR is a saved network, rather than the catalog's.

  Raises:
    ValueError: If it is both a name of the catalog and a folder.
  """
  import os

  from temporal_jax import hub, models
  from temporal_jax.saved_networks import bundled
  from temporal_jax.storage import is_in_bucket

  is_folder = os.path.isdir(os.path.expanduser(name))
  if is_folder and name in models.MODELS:
    raise ValueError(
      f"{name} is a network and a folder: write ./{name} for the folder, or "
      "call it elsewhere."
    )
  is_address = hub.is_address(name) or is_in_bucket(name)
  return is_folder or name in bundled.NAMES or is_address


def short_name(model: str) -> str:
  """Returns the last part of a network's address, or of its folder's path."""
  from temporal_jax import hub

  if hub.is_address(model):
    return hub.parse_address(model).repository.rpartition("/")[2]
  return pathlib.Path(model).resolve().name


def add_labels(parser: argparse.ArgumentParser) -> None:
  """Adds `--labels` and `--labels-file`, for `read_labels`."""
  labels = parser.add_mutually_exclusive_group()
  labels.add_argument(
    "--labels",
    metavar='"LABEL, LABEL"',
    help="names or sentences, commas between them",
  )
  labels.add_argument(
    "--labels-file",
    type=path,
    metavar="FILE",
    help="names or sentences, one per line",
  )


def read_labels(options: argparse.Namespace) -> tuple[str, ...]:
  """Returns the labels of `add_labels`, () if none are given."""
  if options.labels_file:
    from temporal_jax.data.annotations import read_names

    return read_names(options.labels_file)
  return tuple(options.labels.split(",")) if options.labels else ()


def add_topk(parser: argparse.ArgumentParser, default: int) -> None:
  """Adds `--topk`."""
  parser.add_argument(
    "--topk",
    type=int,
    default=default,
    metavar="K",
    help="classes to print, the likeliest first (%(default)s)",
  )


def add_batch_size(parser: argparse.ArgumentParser, what: str) -> None:
  """Adds `--batch-size`, the number of `what` computed at once."""
  parser.add_argument(
    "--batch-size",
    type=int,
    default=8,
    metavar="N",
    help=f"{what} computed at once, at most (%(default)s)",
  )


def add_views(parser: argparse.ArgumentParser) -> None:
  """Adds `--views`, for `inference.with_views`."""
  parser.add_argument(
    "--views",
    metavar="CLIPSxCROPS",
    help="clips over a video x crops of each clip, the clips first; crops are "
    "1 (middle), 3 or 10: 4x3 are 4 clips of 3 crops (3x4 is read so too, as "
    "there are no 4 crops); as the network was tested if not given",
  )


def add_threads(parser: argparse.ArgumentParser) -> None:
  """Adds `--threads`, the number of videos decoded at a time."""
  parser.add_argument(
    "--threads",
    type=int,
    default=4,
    metavar="N",
    help="videos decoded at a time (%(default)s)",
  )
