"""The rows of the papers' tables, and the command that starts each.

docs/tables/PAPER.csv has a line for every row of a results table or ablation
that the paper's authors trained, in the paper's order; numbers that they only
quote from others are left out. Its columns:

  table    number of the table or figure, as "3d" or "A5"
  row      text of the row
  printed  its figures, in words
  view     frames x pixels of the view that the next two are for, as "8 x 256";
           "" for the clips of the config
  params   millions of parameters, as printed; "" if not; "+3.16" if what the
           operator adds is printed
  gmacs    1e9 multiply-adds of one view, likewise
  differs  why ours are not within 1 % of what is printed, if so
  command  what starts it: --config=... and flags of `train.py`, or all of
           another command
"""

import csv
import pathlib
import shlex
from collections.abc import Iterator
from typing import NamedTuple

FOLDER = pathlib.Path(__file__).parent / "tables"


class Row(NamedTuple):
  """A row of a paper's table; see the columns above."""

  paper: str
  table: str
  row: str
  printed: str
  view: str
  params: str
  gmacs: str
  differs: str
  command: str

  @property
  def trains(self) -> bool:
    """Whether the command is one of `train.py`."""
    return self.command.startswith("--config=")

  def arguments(self) -> list[str]:
    """Returns the words of the command."""
    return shlex.split(self.command)


def papers() -> list[str]:
  """Returns the papers by the names of their configs."""
  return sorted(path.stem for path in FOLDER.glob("*.csv"))


def read(paper: str) -> Iterator[Row]:
  """Yields the rows of a paper.

  Raises:
    ValueError: If the columns are not those above.
  """
  path = FOLDER / f"{paper}.csv"
  with path.open(newline="", encoding="utf-8") as file:
    lines = csv.DictReader(file)
    if tuple(lines.fieldnames or ()) != Row._fields[1:]:
      raise ValueError(f"{path.name} must have the columns {Row._fields[1:]}.")
    for line in lines:
      yield Row(paper, **line)
