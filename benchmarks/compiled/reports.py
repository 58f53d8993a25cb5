"""Figures of estimated programs, for JSON files and for tables."""

import re
from collections.abc import Mapping
from typing import Any

from benchmarks.compiled import hlo
from benchmarks.compiled.child import Outcome
from benchmarks.compiled.chips import Chip
from benchmarks.compiled.estimate import Cost, estimate

OPERATOR_COLUMNS = (
  "operator",
  "chip",
  "mode",
  "estimate us",
  "ideal us",
  "ratio",
  "MB",
  "least MB",
  "cycles",
  "largest",
)
NETWORK_COLUMNS = (
  "network",
  "chip",
  "clips",
  "estimate ms",
  "ideal ms",
  "utilization",
  "operator",
  "memory GB",
  "largest",
)
_LARGEST = 3


def report(outcome: Outcome, chip: Chip) -> dict[str, Any]:
  """Returns the figures of a program, or its error.

  Its facts must have "multiply_adds" and "least_bytes", which is 0 if only the
  multiply-adds make the ideal, and may have "operator_paths".
  """
  if outcome.error:
    return {**outcome.job.row, "error": outcome.error}
  facts = outcome.facts
  try:
    found = estimate(hlo.parse(outcome.text), chip)
  except ValueError as error:
    return {**outcome.job.row, "error": f"the program cannot be read: {error}"}
  products = 2 * facts["multiply_adds"] / chip.peak
  ideal = max(products, facts["least_bytes"] / chip.bandwidth)
  total = sum(cost.seconds for cost in found.costs) or 1.0
  return {
    **outcome.job.row,
    "estimate_us": _rounded(1e6 * found.seconds),
    "ideal_us": _rounded(1e6 * ideal),
    "ratio": _rounded(found.seconds / ideal),
    "utilization": _rounded(products / found.seconds),
    "padded_bytes": found.traffic.main,
    "plain_bytes": found.traffic.plain,
    "least_bytes": facts["least_bytes"],
    "multiply_adds": facts["multiply_adds"],
    "matrix_cycles": round(found.matrix_seconds * chip.clock),
    "memory_bytes": memory_bytes(outcome.memory_report),
    "instructions": sum(cost.times for cost in found.costs),
    "shares": {kind: _rounded(share) for kind, share in found.shares().items()},
    "largest": [_largest(cost, total) for cost in found.costs[:_LARGEST]],
    "unknown_loops": found.unknown_loops,
    "kernels": found.kernels,
    **(
      {"operator_share": _rounded(found.share_of(facts["operator_paths"]))}
      if "operator_paths" in facts
      else {}
    ),
  }


def network_cells(row: Mapping[str, Any]) -> tuple[str, ...]:
  """Returns the cells of a network's row; see `NETWORK_COLUMNS`."""
  return (
    row["name"],
    row["chip"],
    f"{row['batch']}",
    f"{row['estimate_us'] / 1e3:.1f}",
    f"{row['ideal_us'] / 1e3:.1f}",
    f"{row['utilization']:.0%}",
    f"{row['operator_share']:.0%}",
    f"{row['memory_bytes'] / 1e9:.1f}",
    _largest_words(row),
  )


def operator_cells(row: Mapping[str, Any]) -> tuple[str, ...]:
  """Returns the cells of an operator's row; see `OPERATOR_COLUMNS`."""
  return (
    row["name"],
    row["chip"],
    row["mode"],
    f"{row['estimate_us']:.0f}",
    f"{row['ideal_us']:.0f}",
    f"{row['ratio']:.1f}",
    f"{row['padded_bytes'] / 1e6:.0f}",
    f"{row['least_bytes'] / 1e6:.0f}",
    f"{row['matrix_cycles'] / 1e3:.0f}",
    _largest_words(row),
  )


def memory_bytes(text: str) -> int:
  """Returns the bytes of the main memory in XLA's report, 0 without one."""
  found = re.search(r"\(color=0\)\s+Total bytes: (\d+)", text)
  return int(found[1]) if found else 0


def _largest_words(row: Mapping[str, Any]) -> str:
  return ", ".join(f"{one['kind']} {one['share']:.0%}" for one in row["largest"])


def _largest(cost: Cost, total: float) -> dict[str, Any]:
  return {
    "kind": cost.kind,
    "share": _rounded(cost.seconds / total),
    "name": cost.name,
    "op_name": cost.op_name,
    "times": cost.times,
    "padded_bytes": cost.traffic.main,
  }


def _rounded(value: float) -> float:
  """Returns a value with four significant digits."""
  return float(f"{value:.4g}")
