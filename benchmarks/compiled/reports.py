"""Figures of estimated programs, for JSON files."""

import re
from typing import Any

from benchmarks.compiled import hlo
from benchmarks.compiled.child import Outcome
from benchmarks.compiled.chips import Chip
from benchmarks.compiled.estimate import Cost, estimate

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
    "custom_calls": found.custom_calls,
    **(
      {"operator_share": _rounded(found.share_of(facts["operator_paths"]))}
      if "operator_paths" in facts
      else {}
    ),
  }


def memory_bytes(text: str) -> int:
  """Returns the bytes of the main memory in XLA's report, 0 without one."""
  found = re.search(r"\(color=0\)\s+Total bytes: (\d+)", text)
  return int(found[1]) if found else 0


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
