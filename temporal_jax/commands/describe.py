"""Show a network's modules, their shapes and parameters, and its slots.

  temporal-jax describe tadaformer_b16 --depth 2
  temporal-jax describe resnet50 --temporal arithmetic

The first axis of an output is that of clips; "x 2" is a module that is called
twice. Nothing is computed.
"""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
  """Says what `describe` takes."""
  parser.add_argument("name", metavar="NAME", help="see temporal-jax models")
  parser.add_argument(
    "--num-classes",
    type=int,
    default=400,
    metavar="L",
    help="of the classifier (%(default)s)",
  )
  parser.add_argument(
    "--depth",
    type=int,
    default=1,
    metavar="N",
    help="levels of modules to show (%(default)s)",
  )
  parser.add_argument(
    "--frames", type=int, metavar="T", help="of a clip (as published)"
  )
  parser.add_argument(
    "--image-size",
    type=int,
    metavar="S",
    help="side of a frame, in pixels (as published)",
  )
  parser.add_argument(
    "--temporal",
    default="default",
    metavar="OPERATOR",
    help="to put into the slots, see docs/operators.md (the network's own)",
  )


def run(options: argparse.Namespace) -> int:
  """Prints it."""
  from temporal_jax.models import describe

  for line in describe(
    options.name,
    num_classes=options.num_classes,
    levels=options.depth,
    num_frames=options.frames,
    image_size=options.image_size,
    temporal=options.temporal,
  ):
    print(line)
  return 0
