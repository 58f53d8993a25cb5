"""Leaves of a network that no training has touched."""

from collections.abc import Mapping
from typing import Any

import jax

from temporal_jax.inference.runtime.saved_model import SavedModel


def untrained_leaves(description: Mapping[str, Any]) -> tuple[str, ...]:
  """Returns the leaves that a conversion made new, by what model.json says."""
  report = description.get("report")
  new = report.get("new") if isinstance(report, Mapping) else None
  return tuple(sorted(new)) if isinstance(new, Mapping) else ()


def describe_untrained(saved: SavedModel) -> str:
  """Returns in a sentence how many leaves were never trained, or ""."""
  leaves = untrained_leaves(saved.description)
  if not leaves:
    return ""
  total = len(jax.tree.leaves(saved.variables))
  return (
    f"{len(leaves)} of {total} leaves of {saved.name} are new and were never "
    "trained: what it says may be chance."
  )
