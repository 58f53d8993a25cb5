"""The command line `temporal-jax`: its commands and their errors."""

import argparse
import importlib
import os
import pathlib
import pkgutil
import sys
import types
from collections.abc import Sequence

from temporal_jax import __version__, commands, process_setup
from temporal_jax.display import error_message
from temporal_jax.lookup import unknown_name
from temporal_jax.storage import refuse_bucket

# Every module of `commands` is one; its folder `shared` is none.
COMMANDS = tuple(
  sorted(m.name for m in pkgutil.iter_modules(commands.__path__) if not m.ispkg)
)
# Exit status that a shell reports for a program that SIGPIPE ended.
_BROKEN_PIPE = 141


def run_process() -> int:
  """Runs the command of this process, which is set up for it; see `main`."""
  words = sys.argv[1:]
  name = next((word for word in words if not word.startswith("-")), "")
  is_run = name in COMMANDS and not {"-h", "--help"} & set(words)
  if is_run and _module(name).COMPUTES:
    process_setup.use_huge_pages()
    process_setup.keep_compiled()
    process_setup.collect_garbage_less()
  return main(words)


def main(argv: Sequence[str] | None = None) -> int:
  """Runs a command.

  Args:
    argv: The command line's words; the process's own if None.

  Returns:
    0 if all went well; 1 if a part of the work could not be done; 2 if
    the command cannot be run as it is; 141 if nobody reads the output on.
  """
  words = sys.argv[1:] if argv is None else argv
  parser = create_parser()
  name = next((word for word in words if not word.startswith("-")), None)
  if name is not None and name not in COMMANDS:
    parser.error(_unknown_command(name))
  options = parser.parse_args(words)
  try:
    _refuse_buckets(options)
    status = options.run(options)
    sys.stdout.flush()
    return status
  except BrokenPipeError:  # Nobody reads on, as after `| head`.
    with open(os.devnull, "w") as nowhere:
      os.dup2(nowhere.fileno(), sys.stdout.fileno())
    return _BROKEN_PIPE
  except Exception as error:
    if options.traceback:
      raise
    words = error_message(
      f"temporal-jax {options.command}",
      error,
      expected=(ImportError, OSError, ValueError),
      option=f"temporal-jax --traceback {options.command} ...",
    )
    print(words, file=sys.stderr)
    return 2
  except KeyboardInterrupt:
    return 130


def _refuse_buckets(options: argparse.Namespace) -> None:
  """Raises ValueError if a path among the options is in a bucket.

  Networks and lists that may be there are text.
  """
  for name, value in vars(options).items():
    for path in value if isinstance(value, list) else [value]:
      if isinstance(path, pathlib.Path):
        refuse_bucket(path, name.upper())


def create_parser() -> argparse.ArgumentParser:
  """Returns the parser of all commands; none of them is imported whole."""
  parser = argparse.ArgumentParser(
    prog="temporal-jax", description="Video recognition for JAX."
  )
  parser.add_argument("--version", action="version", version=__version__)
  parser.add_argument(
    "--traceback",
    action="store_true",
    help="show where an error was raised, instead of a message",
  )
  parsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
  for name in COMMANDS:
    module = _module(name)
    words = module.__doc__.partition("\n")[0]
    command = parsers.add_parser(
      name,
      help=words[0].lower() + words[1:].rstrip("."),
      description=module.__doc__,
      formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_arguments(command)
    command.set_defaults(run=module.run)
  return parser


def _unknown_command(name: str) -> str:
  """Returns the message about a word that is no command."""
  if "convert" in name:
    return f"{name!r} is no COMMAND: `python -m convert_weights` converts weights."
  return unknown_name(name, COMMANDS, "COMMAND")


def _module(name: str) -> types.ModuleType:
  """Returns the module of a command."""
  return importlib.import_module(f"{commands.__name__}.{name}")
