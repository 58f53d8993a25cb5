"""Options that several commands have."""

import argparse
import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from temporal_jax import hub
from temporal_jax.commands.shared.arguments import path
from temporal_jax.storage import refuse_bucket


def add_out(parser: argparse.ArgumentParser) -> None:
  """Adds OUT."""
  parser.add_argument("out", metavar="OUT", type=new_folder, help="new directory")


def add_labels(parser: argparse.ArgumentParser) -> None:
  """Adds --labels."""
  parser.add_argument(
    "--labels", metavar="FILE", help="names of the classes, or a config.json"
  )


def add_dry_run(parser: argparse.ArgumentParser) -> None:
  """Adds --dry-run."""
  parser.add_argument("--dry-run", action="store_true", help="write nothing")


def new_folder(text: str) -> pathlib.Path:
  """Returns the path of a new folder, with ~ as the home folder.

  Raises:
    argparse.ArgumentTypeError: If it is an address.
  """
  try:
    refuse_bucket(text, "the folder")
    hub.refuse_address(text, "temporal_jax.push_to_hub uploads a network")
  except ValueError as error:
    raise argparse.ArgumentTypeError(str(error)) from None
  return path(text)


def key_and_value(text: str) -> tuple[str, Any]:
  """Splits KEY=VALUE; the value is JSON, or text."""
  key, equals, value = text.partition("=")
  if not equals:
    raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
  try:
    return key, json.loads(value)
  except ValueError:
    return key, value


def as_dict(given: Sequence[tuple[str, Any]]) -> Mapping[str, Any]:
  """Returns arguments by name.

  Raises:
    ValueError: If two options give one argument.
  """
  arguments = dict(given)
  if len(arguments) < len(given):
    raise ValueError(f"an argument is given twice: {[name for name, _ in given]}.")
  return arguments
