"""The command line of a run: its flags, its config, its processes."""

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

import jax
import ml_collections
from absl import flags, logging
from ml_collections import config_flags

from temporal_jax import config_files, display
from temporal_jax.experiment.config_fields import add_overrides, unknown_field
from temporal_jax.experiment.flag_errors import describe_flag_error


def define_config(
  known: flags.FlagValues, arguments: list[str], *, unknown_run: type[Exception]
) -> flags.FlagHolder[ml_collections.ConfigDict]:
  """Defines --config: a file, or the name of a config of the package.

  Args:
    known: The flags, to which it is added.
    arguments: The command line, where it looks for --config.FIELD; it may be
      filled after this call, but before the flags are parsed.
    unknown_run: Error of a config whose argument is no run, with words for the
      user.
  """
  holder = config_flags.DEFINE_config_file(
    "config",
    help_string="File, or a name that temporal-jax configs lists.",
    flag_values=known,
    sys_argv=arguments,
  )
  flag = known["config"]
  flag.parser = _ConfigParser(flag.parser, arguments, unknown_run)
  return holder


def parse_flags(
  argv: list[str], *, known: flags.FlagValues, arguments: list[str]
) -> list[str]:
  """Parses the flags of a run; an error in them ends the process.

  Args:
    argv: The command line, the program's name first.
    known: The flags, see `define_config`.
    arguments: The list that `define_config` was given; gets the command line.

  Returns:
    The program's name.
  """
  arguments[:] = argv
  try:
    program, *others = known(argv)
  except flags.Error as error:
    refuse(argv[0], describe_flag_error(error, known))
  except _ConfigError as error:
    refuse(argv[0], str(error))
  except (AttributeError, KeyError, TypeError, ValueError) as error:
    message = unknown_field(_config_in_file(argv, known), argv)
    refuse(argv[0], message or " ".join(str(error.args[0]).split()))
  if others:
    refuse(program, f"unknown arguments {others}.")
  if known["config"].value is None:
    refuse(program, "--config must be a file, or a name of `temporal-jax configs`.")
  return [program]


def refuse(program: str, words: str) -> NoReturn:
  """Ends the process with exit code 2, and a message about its flags."""
  print(display.printable_lines(f"{program}: {words}"), file=sys.stderr)
  raise SystemExit(2)


def join_processes(
  coordinator: str | None,
  num_processes: int | None,
  process_id: int | None,
  *,
  distributed: bool,
) -> None:
  """Meets the other processes of the run, if there are any.

  Args:
    coordinator: HOST:PORT of the first process; None if it is not given.
    num_processes: Number of processes, with the coordinator.
    process_id: Number of this one, from 0, with the coordinator.
    distributed: Whether JAX finds the other processes out without them.

  Raises:
    ValueError: If JAX knows no cluster that this machine is in.
  """
  if coordinator:
    jax.distributed.initialize(coordinator, num_processes, process_id)
  elif distributed:
    try:
      jax.distributed.initialize()
    except ValueError as error:  # Arguments that this machine did not give.
      raise ValueError(
        "--distributed found no TPU pod, Slurm job or other cluster that JAX "
        "knows; give --coordinator=HOST:PORT --num_processes=N --process_id=I: "
        f"{error}"
      ) from error


class _ConfigError(Exception):
  """There is no config, in words for the user."""


class _ConfigParser(flags.ArgumentParser):
  """Parser of --config.

  Args:
    of_files: Parser of files.
    arguments: The command line, whose other flags may set further arguments of
      the network.
    unknown_run: See `define_config`.
  """

  def __init__(
    self,
    of_files: flags.ArgumentParser,
    arguments: Sequence[str],
    unknown_run: type[Exception],
  ):
    self._of_files = of_files
    self._arguments = arguments
    self._unknown_run = unknown_run

  def parse(self, argument: str) -> ml_collections.ConfigDict:
    """Returns the config.

    Raises:
      _ConfigError: If there is none, or its file does not make one.
    """
    try:
      config = self._of_files.parse(config_files.find_config(argument))
    except FileNotFoundError as error:
      raise _ConfigError(f"{error}") from None
    except self._unknown_run as error:
      # ml_collections raised it once more, with a traceback in the message.
      raise _ConfigError(f"--config={argument}: {error.__context__}") from None
    except Exception as error:  # The file may be anybody's.
      logging.debug("the error was raised here", exc_info=True)
      words = (str(error.__context__ or error) or "no words").splitlines()[0]
      raise _ConfigError(
        f"--config={argument}: the file makes no config; it ends in "
        f"{type(error).__name__}: {words}"
      ) from error
    if not isinstance(config, ml_collections.ConfigDict):
      raise _ConfigError(
        f"--config={argument}: get_config must return an ml_collections.ConfigDict, "
        f"got {type(config).__name__}."
      )
    add_overrides(config, self._arguments)
    return config


def _config_in_file(
  argv: list[str], known: flags.FlagValues
) -> ml_collections.ConfigDict:
  """Returns the config of the file that --config names, without other flags."""
  options = argparse.ArgumentParser(allow_abbrev=False, add_help=False)
  options.add_argument("--config", "-config")
  name = options.parse_known_args(argv)[0].config
  return known["config"].parser.parse(name)
