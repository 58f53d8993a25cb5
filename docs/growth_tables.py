"""Rows of what benchmarks.growth has measured, for the page."""

import json
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_RESULTS = pathlib.Path(__file__).parents[1] / "benchmarks" / "results"
_QUANTITIES = ("multiply-adds", "memory", "time", "TPU", "TPU cycles")

Row = Mapping[str, Any]


def operators() -> Iterator[Sequence[str]]:
  """Yields the papers' complexities next to the measured exponents."""
  yield "operator", "over", "complexity", *_QUANTITIES, "source"
  for line in _lines("operator"):
    yield (
      line["name"],
      line["axis"],
      line["complexity"],
      *_cells(line, _QUANTITIES),
      line["source"],
    )


def cases() -> Iterator[Sequence[str]]:
  """Yields the operators at the papers' sizes, over the frames."""
  yield "operator", "complexity", *_QUANTITIES
  for line in _lines("case"):
    if line["axis"] == "frames":
      yield line["name"], line["complexity"], *_cells(line, _QUANTITIES)


def networks() -> Iterator[Sequence[str]]:
  """Yields the networks: their growth over the frames, claimed and measured."""
  quantities = _QUANTITIES[:3]
  yield "network", "complexity", *quantities, "source"
  for line in _lines("network"):
    cells = _cells(line, quantities)
    yield f"`{line['name']}`", line["complexity"], *cells, line["source"]


def products() -> Iterator[Sequence[str]]:
  """Yields the exponents of the networks' multiply-adds over each axis."""
  rows: dict[str, dict[str, Row]] = {}
  networks = {line["name"] for line in _lines("network")}
  for row in _figures("products", "rows"):
    if row["name"] in networks:
      rows.setdefault(row["name"], {})[row["axis"]] = row
  axes = ("frames", "places", "width", "batch")
  yield "network", *axes
  for name, by_axis in rows.items():
    found = (by_axis.get(axis) for axis in axes)
    yield f"`{name}`", *(f"{row['exponent']:.2f}" if row else "" for row in found)


def memory() -> Iterator[Sequence[str]]:
  """Yields the memory of training steps, the largest first."""
  networks = {line["name"] for line in _lines("network")}
  rows = [row for row in _figures("memory", "rows") if row["name"] in networks]
  rows.sort(key=lambda row: -row["values"][-1])
  frames = rows[0]["sizes"] if rows else ()
  yield "network", *(f"{count} frames, GiB" for count in frames), "exponent"
  for row in rows:
    sizes = (f"{value / 2**30:.2f}" for value in row["values"])
    yield f"`{row['name']}`", *sizes, f"{row['exponent']:.2f}"


_UNITS = {"operations": (1e9, "10⁹ operations"), "memory": (1e6, "MB of temporaries")}


def devices() -> Iterator[Sequence[str]]:
  """Yields the work, memory and traffic of one of several devices."""
  rows = _figures("devices", "rows")
  counts = rows[0]["sizes"] if rows else ()
  yield "step; mesh", "of one device", *map(str, counts), "exponent"
  lines = {line["name"]: line for line in _lines("devices")}
  for row in rows:
    unit, words = _UNITS.get(row["quantity"], (1e6, "MB sent"))
    values = (f"{value / unit:,.1f}" for value in row["values"])
    (exponent,) = _cells(lines[row["name"]], (row["quantity"],))
    yield row["name"], words, *values, exponent


def reasons() -> Iterator[Sequence[str]]:
  """Yields the exponents that are not the claimed ones, and why."""
  yield "of", "over", "what", "measured", "claimed", "why"
  for line in _figures("claims", "lines"):
    for quantity, reason in line["reasons"].items():
      found = line["exponents"][quantity]
      exponents = (f"{found[key]:.2f}" for key in ("measured", "claimed"))
      yield line["name"], line["axis"], quantity, *exponents, reason


def counts() -> Iterator[Sequence[str]]:
  """Yields for each instrument how many exponents are the claimed ones."""
  yield "what", "exponents", "within 0.15", "differ"
  every = [
    (quantity, found["holds"])
    for line in _figures("claims", "lines")
    for quantity, found in line["exponents"].items()
  ]
  for quantity in dict.fromkeys(quantity for quantity, _ in every):
    holds = [held for other, held in every if other == quantity]
    yield quantity, str(len(holds)), str(sum(holds)), str(len(holds) - sum(holds))


def _cells(line: Row, quantities: Sequence[str]) -> list[str]:
  """Returns measured exponents, each with the claimed one, "" without."""
  cells = []
  for quantity in quantities:
    found = line["exponents"].get(quantity)
    if found is None:
      cells.append("")
    else:
      star = "" if found["holds"] else " \\*"
      cells.append(f"{found['measured']:.2f} ({found['claimed']:.2f}){star}")
  return cells


def _lines(kind: str) -> list[Row]:
  return [line for line in _figures("claims", "lines") if line["kind"] == kind]


def _figures(name: str, key: str) -> list[Row]:
  """Returns what a file of benchmarks.growth holds; nothing without a file."""
  file = _RESULTS / f"growth_{name}.json"
  return json.loads(file.read_text())[key] if file.exists() else []
