"""The command `temporal-jax`: what a person does with videos and networks."""

import argparse
import importlib
import sys
from collections.abc import Sequence

from temporal_jax import __version__, process_setup
from temporal_jax.display import error_message

COMMANDS = (
  "benchmark",
  "data",
  "describe",
  "export",
  "extract",
  "models",
  "predict",
  "scores",
  "search",
  "serve",
  "stream",
  "visualize",
  "watch",
  "zeroshot",
)


# Those that compute with networks: their processes are set up for it.
_COMPUTING = frozenset(COMMANDS) - {"data", "describe", "models", "scores"}


def run_process() -> int:
  """Runs the command of this process, which is set up for it; see `main`."""
  words = sys.argv[1:]
  command = next((word for word in words if not word.startswith("-")), "")
  if command in _COMPUTING and not {"-h", "--help"} & set(words):
    process_setup.use_huge_pages()
    process_setup.keep_compiled()
    process_setup.collect_garbage_less()
  return main(words)


def main(argv: Sequence[str] | None = None) -> int:
  """Runs a command.

  Args:
    argv: Its words; those of the process if None.

  Returns:
    0 if all went well; 1 if some of what was asked for could not be done; 2 if
    the command cannot be run as it is.
  """
  options = create_parser().parse_args(argv)
  try:
    return options.run(options)
  except Exception as error:
    if options.traceback:
      raise
    words = error_message(
      *(f"temporal-jax {options.command}", error),
      expected=(ImportError, OSError, ValueError),
      option=f"temporal-jax --traceback {options.command} ...",
    )
    print(words, file=sys.stderr)
    return 2
  except KeyboardInterrupt:
    return 130


def create_parser() -> argparse.ArgumentParser:
  """Returns what parses all commands; none of them is imported whole."""
  parser = argparse.ArgumentParser(
    prog="temporal-jax", description="Video recognition for JAX."
  )
  parser.add_argument("--version", action="version", version=__version__)
  parser.add_argument(
    "--traceback",
    action="store_true",
    help="show where an error was raised, instead of a message",
  )
  commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
  for name in COMMANDS:
    module = importlib.import_module(f"temporal_jax.commands.{name}")
    words = module.__doc__.partition("\n")[0]
    command = commands.add_parser(
      name,
      help=words[0].lower() + words[1:].rstrip("."),
      description=module.__doc__,
      formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_arguments(command)
    command.set_defaults(run=module.run)
  return parser
