"""Show a network's modules, their shapes and parameters, and its slots.

  temporal-jax describe tadaformer_b16 --depth 2
  temporal-jax describe resnet50 --temporal arithmetic
  temporal-jax describe runs/mine

The first axis of an output is the clips' axis; "x 2" is a module that is called
twice. Nothing is computed.
"""

import argparse
from typing import Any

from temporal_jax.commands.shared.arguments import add_network, is_saved

COMPUTES = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
  """Adds the arguments of `describe`."""
  add_network(parser)
  parser.add_argument(
    "--num-classes",
    type=int,
    metavar="L",
    help="number of classes (400, or the directory's)",
  )
  parser.add_argument(
    "--depth",
    type=int,
    default=1,
    metavar="N",
    help="levels of modules to show (%(default)s)",
  )
  parser.add_argument(
    "--temporal",
    metavar="OPERATOR",
    help="operator for the slots, see docs/operators.md (the network's own)",
  )


def run(options: argparse.Namespace) -> int:
  """Prints it."""
  from temporal_jax.display.tables import fold_line
  from temporal_jax.models import describe

  name, arguments = options.network, {"num_classes": 400}
  if is_saved(name):
    name, arguments = _read(name)
  given = {
    "num_classes": options.num_classes,
    "num_frames": options.frames,
    "image_size": options.image_size,
    "temporal": options.temporal,
  }
  arguments |= {key: value for key, value in given.items() if value is not None}
  for line in describe(name, levels=options.depth, **arguments):
    print(fold_line(line, 80))
  return 0


def _read(directory: str) -> tuple[str, dict[str, Any]]:
  """Returns the name of a saved network, and arguments of `describe`."""
  from temporal_jax import inference

  saved = inference.load_model(directory)
  return saved.name, {
    "clip_shape": saved.clip_shape[:3],
    **saved.description["overrides"],
    "num_classes": saved.description["num_classes"],
  }
