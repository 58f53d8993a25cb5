"""The classes of Kinetics as published, and their rows in Kinetics-710.

kinetics_classes.csv has a line for each name: its row by the label maps of
UniFormerV2 (arXiv:2211.09552), and the sets that have it under this name. Of
the names of a row, that of Kinetics-710 is first.
"""

import csv
import pathlib

_FILE = pathlib.Path(__file__).with_name("kinetics_classes.csv")


def rows_by_name(part: str) -> dict[str, int]:
  """Returns the rows in Kinetics-710 of a set's classes, sorted by name.

  Args:
    part: "k400", "k600" or "k700"; "k710" is in the order of the rows.
  """
  with _FILE.open(encoding="utf-8", newline="") as file:
    lines = list(csv.DictReader(file))
  if part == "k710":
    first: dict[int, str] = {}
    for line in lines:
      first.setdefault(int(line["row"]), line["name"])
    return {name: row for row, name in first.items()}
  own = {
    line["name"]: int(line["row"]) for line in lines if part in line["sets"].split()
  }
  return dict(sorted(own.items()))
