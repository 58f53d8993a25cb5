"""Results of benchmarks: a table while they are measured, and a JSON file."""

import argparse
import json
import math
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import rich.box
import rich.table

from benchmarks.shared import provenance
from temporal_jax import storage
from temporal_jax.display import tables


class ResultTable:
  """A Markdown table that is printed row by row, while rows are measured."""

  def __init__(self, columns: Sequence[str], *, name_width: int = 24):
    """Prints the header.

    Args:
      columns: Titles; the first column has the rows' names.
      name_width: Fewest characters of the first column.
    """
    self._columns = columns
    self._name_width = name_width
    self._print(show_header=True)

  def add(self, *cells: str) -> None:
    """Prints a row with one cell per column."""
    self._print(*cells, show_header=False)

  def _print(self, *cells: str, show_header: bool) -> None:
    table = rich.table.Table(box=rich.box.MARKDOWN, show_header=show_header)
    first, *others = self._columns
    table.add_column(first, min_width=self._name_width, no_wrap=True)
    for title in others:
      width = max(len(title), 8)
      table.add_column(title, min_width=width, justify="right", no_wrap=True)
    if cells:
      table.add_row(*cells)
    for line in tables.render(table):
      print(line, flush=True)


def time_cells(times: Mapping[str, float] | None) -> tuple[str, str, str]:
  """Returns ours, theirs and their ratio from `timing.Times`, "-" for None."""
  if times is None:
    return "-", "-", "-"
  return f"{times['ours']:.2f}", f"{times['theirs']:.2f}", f"{times['ratio']:.2f}x"


def share_cell(share: float | None) -> str:
  """Returns a share in percent, "-" for None."""
  return "-" if share is None else f"{share:.0%}"


def create_parser(description: str) -> argparse.ArgumentParser:
  """Returns a parser with the option --json, and a docstring as help."""
  parser = argparse.ArgumentParser(
    description=description, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument("--json", type=_new_file, help="file to write")
  return parser


def _new_file(text: str) -> pathlib.Path:
  """Returns a path whose folder exists, before anything is measured."""
  path = pathlib.Path(text).expanduser()
  if path.is_dir() or not path.absolute().parent.is_dir():
    raise argparse.ArgumentTypeError(f"{text} must be a file in a folder that exists.")
  return path


def above_zero(text: str) -> float:
  """Returns a finite number above 0 of the command line."""
  number = float(text)
  if not 0 < number < math.inf:
    raise argparse.ArgumentTypeError(f"must be a number above 0, got {text}.")
  return number


def count(text: str) -> int:
  """Returns a whole number of at least 1 of the command line."""
  number = int(text)
  if number < 1:
    raise argparse.ArgumentTypeError(f"must be at least 1, got {text}.")
  return number


def write_json(file: pathlib.Path | None, report: Mapping[str, Any]) -> None:
  """Writes a report as JSON, if a file is given, and how it was measured."""
  if file is not None:
    whole = {"measured": provenance.describe(), **report}
    storage.write_text(file, json.dumps(whole, indent=1) + "\n")
