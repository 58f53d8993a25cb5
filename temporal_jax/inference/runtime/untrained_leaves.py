"""Finds leaves of a network that were never trained."""

from collections.abc import Mapping
from typing import Any

import jax

from temporal_jax.inference.runtime.saved_model import SavedModel


def untrained_leaves(description: Mapping[str, Any]) -> tuple[str, ...]:
  """Returns the leaves that a conversion made new, from model.json."""
  report = description.get("report")
  new = report.get("new") if isinstance(report, Mapping) else None
  return tuple(sorted(new)) if isinstance(new, Mapping) else ()


def describe_untrained(saved: SavedModel) -> str:
  """Returns a sentence on leaves that were never trained, or ""."""
  leaves = untrained_leaves(saved.description)
  if not leaves:
    return ""
  total = len(jax.tree.leaves(saved.variables))
  return (
    f"{len(leaves)} of {total} leaves of {saved.name} are new and were never "
    "trained: its predictions may be chance."
  )
