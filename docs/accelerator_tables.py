"""Rows of the estimates for TPUs and GPUs, before and after, for the page."""

import functools
import json
import math
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from benchmarks.compiled import report_tables
from benchmarks.compiled.chips import GPUS, TPUS

_RESULTS = pathlib.Path(__file__).parents[1] / "benchmarks" / "results"
_MODES = ("forward", "gradients")

_NOTHING = (("operator",), ("Not estimated yet.",))

Row = Mapping[str, Any]
Tables = Mapping[str, Callable[[], Iterator[Sequence[str]]]]


def tables() -> Tables:
  """Returns the page's tables by name."""
  return {
    "chips": chips,
    "networks": networks,
    **{
      f"operators {chip}": functools.partial(operators, kind, chip)
      for kind, names in (("tpu", TPUS), ("gpu", GPUS))
      for chip in names
    },
  }


def chips() -> Iterator[Sequence[str]]:
  """Yields the chips' figures that the estimates are made with."""
  yield "chip", "TFLOP/s", "TB/s", "GB", "matrix unit", "from"
  for name, chip in {**TPUS, **GPUS}.items():
    yield (
      name,
      f"{chip.peak / 1e12:.0f}",
      f"{chip.bandwidth / 1e12:.2f}",
      f"{chip.memory / 1e9:.0f}",
      f"{chip.side} x {chip.side}" if chip.side > 1 else "",
      chip.source,
    )


def operators(kind: str, chip: str) -> Iterator[Sequence[str]]:
  """Yields the operators of a chip, the furthest from its ideal first."""
  heads = ("before", "now", "ideal", "times the ideal")
  before = _by_key(f"{kind}_estimates_before", "operators", chip)
  now = _by_key(f"{kind}_estimates", "operators", chip)
  before = _without_errors(before)
  latest = before | _without_errors(now)
  if not latest:
    yield from _NOTHING
    return
  yield (
    "operator",
    *(f"{mode}: {head}" for mode in ("forward", "with gradients") for head in heads),
    *(("kernels", "library") if kind == "gpu" else ()),
    "longest with gradients",
  )
  rows = {
    name: latest.get((name, mode)) for name, mode in before | now if mode == "gradients"
  }
  # Those that never compiled come first.
  for name, row in sorted(rows.items(), key=lambda item: -_ratio(item[1])):
    yield (
      name,
      *(
        cell
        for mode in _MODES
        for cell in _times(before.get((name, mode)), now.get((name, mode)))
      ),
      *(_kernels(row) if kind == "gpu" else ()),
      report_tables.largest(row) if row else "",
    )


def networks() -> Iterator[Sequence[str]]:
  """Yields the training steps on TPUs."""
  yield (
    "network",
    "chip",
    "clips",
    "before, ms",
    "now, ms",
    "utilization before",
    "utilization now",
    "operator",
    "GB",
  )
  before, now = (
    {
      (row["chip"], row["name"]): row
      for row in _rows(name, "networks")
      if "error" not in row
    }
    for name in ("tpu_estimates_before", "tpu_estimates")
  )
  for key, row in (before | now).items():
    steps = (before.get(key), now.get(key))
    yield (
      f"`{row['name']}`",
      row["chip"],
      str(row["batch"]),
      *(f"{step['estimate_us'] / 1e3:.1f}" if step else "" for step in steps),
      *(f"{step['utilization']:.0%}" if step else "" for step in steps),
      f"{row['operator_share']:.0%}",
      f"{row['memory_bytes'] / 1e9:.1f}",
    )


def utilization(chip: str) -> dict[str, float]:
  """Returns the share of a TPU's peak that networks' training steps reach."""
  return {
    row["name"]: row["utilization"]
    for row in _rows("tpu_estimates", "networks")
    if row["chip"] == chip and "error" not in row
  }


def _times(before: Row | None, now: Row | None) -> tuple[str, ...]:
  """Returns microseconds before and now, the ideal, and the latest ratio."""
  earlier = f"{before['estimate_us']:.0f}" if before else ""
  if now and "error" in now:
    return earlier, "failed", f"{before['ideal_us']:.0f}" if before else "", ""
  latest = now or before
  if not latest:
    return earlier, "", "", ""
  return (
    earlier,
    f"{now['estimate_us']:.0f}" if now else "",
    f"{latest['ideal_us']:.0f}",
    f"{latest['ratio']:.1f}",
  )


def _kernels(row: Row | None) -> tuple[str, str]:
  if row is None:
    return "", ""
  return str(row["instructions"]), str(report_tables.library_runs(row))


def _ratio(row: Row | None) -> float:
  return row["ratio"] if row else math.inf


def _without_errors(rows: Mapping[tuple[str, str], Row]) -> dict[tuple[str, str], Row]:
  return {key: row for key, row in rows.items() if "error" not in row}


def _by_key(name: str, section: str, chip: str) -> dict[tuple[str, str], Row]:
  """Returns the rows of a chip by name and mode."""
  rows = (row for row in _rows(name, section) if row["chip"] == chip)
  return {(row["name"], row["mode"]): row for row in rows}


def _rows(name: str, section: str) -> Iterator[Row]:
  """Yields the rows of a section; none without a file."""
  file = _RESULTS / f"{name}.json"
  if file.exists():
    yield from json.loads(file.read_text())[section]
