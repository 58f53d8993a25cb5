"""Train and evaluate a network by a config."""

import argparse
import ast
import importlib.util
import pathlib
import sys
from collections.abc import Sequence

from temporal_jax import extras

COMPUTES = True
_HELP = {"-h", "--help", "-help"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
  """Adds the arguments of `train`: all are flags of `temporal_jax.train`."""
  parser.description = _docstring()
  parser.usage = "temporal-jax train --config=NAME|FILE --workdir=DIR [--FLAG ...]"
  parser.add_argument("flags", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
  parser.prefix_chars = ""  # No word is a flag of argparse, not even --help.
  parser.set_defaults(print_help=parser.print_help)


def run(options: argparse.Namespace) -> int:
  """Trains; ends the process itself."""
  if _HELP & set(options.flags):
    options.print_help()
    return 0
  run_program("temporal-jax train", options.flags)
  return 0


def run_program(program: str, words: Sequence[str]) -> None:
  """Trains as flags say, and ends the process.

  Args:
    program: Name of the program in messages.
    words: The flags.

  Raises:
    ImportError: If the extra "train" is not installed.
  """
  extras.check_train("training")
  from temporal_jax import train

  train.run_program(program, words)


def main(program: str) -> None:
  """Trains by the flags of this process; see `run_program`."""
  if _HELP & set(sys.argv[1:]):
    print(_docstring())
    return
  try:
    run_program(program, sys.argv[1:])
  except ImportError as error:
    raise SystemExit(f"{program}: {error}") from None


def _docstring() -> str:
  """Returns the docstring of `temporal_jax.train`, without importing it."""
  spec = importlib.util.find_spec("temporal_jax.train")
  source = pathlib.Path(spec.origin).read_text(encoding="utf-8")
  return ast.get_docstring(ast.parse(source))
