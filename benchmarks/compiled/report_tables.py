"""Tables of estimated programs, printed while they are compiled."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from benchmarks.compiled import library_calls

Row = Mapping[str, Any]
Columns = Mapping[str, Callable[[Row], str]]


def largest(row: Row) -> str:
  """Returns the kinds and shares of the instructions that take longest."""
  return ", ".join(f"{one['kind']} {one['share']:.0%}" for one in row["largest"])


def library_runs(row: Row) -> int:
  """Returns the runs of kernels of cuDNN and cuBLAS."""
  calls = row["custom_calls"].items()
  return sum(runs for target, runs in calls if library_calls.is_library(target))


_TIMES: Columns = MappingProxyType(
  {
    "operator": lambda row: row["name"],
    "chip": lambda row: row["chip"],
    "mode": lambda row: row["mode"],
    "estimate us": lambda row: f"{row['estimate_us']:.0f}",
    "ideal us": lambda row: f"{row['ideal_us']:.0f}",
    "ratio": lambda row: f"{row['ratio']:.1f}",
    "MB": lambda row: f"{row['padded_bytes'] / 1e6:.0f}",
    "least MB": lambda row: f"{row['least_bytes'] / 1e6:.0f}",
  }
)
# Columns of operators by platform: titles, and functions of a row of figures.
OPERATORS: Mapping[str, Columns] = MappingProxyType(
  {
    "tpu": {
      **_TIMES,
      "cycles": lambda row: f"{row['matrix_cycles'] / 1e3:.0f}",
      "largest": largest,
    },
    "cuda": {
      **_TIMES,
      "kernels": lambda row: f"{row['instructions']}",
      "library": lambda row: f"{library_runs(row)}",
      "largest": largest,
    },
  }
)
NETWORKS: Columns = MappingProxyType(
  {
    "network": lambda row: row["name"],
    "chip": lambda row: row["chip"],
    "clips": lambda row: f"{row['batch']}",
    "estimate ms": lambda row: f"{row['estimate_us'] / 1e3:.1f}",
    "ideal ms": lambda row: f"{row['ideal_us'] / 1e3:.1f}",
    "utilization": lambda row: f"{row['utilization']:.0%}",
    "operator": lambda row: f"{row['operator_share']:.0%}",
    "memory GB": lambda row: f"{row['memory_bytes'] / 1e9:.1f}",
    "largest": largest,
  }
)
