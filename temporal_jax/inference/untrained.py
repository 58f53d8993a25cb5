"""Leaves of a network that no training has touched."""

from collections.abc import Mapping
from typing import Any

from temporal_jax.inference.saved_model import SavedModel
from temporal_jax.training.parameter_names import summarize_names


def untrained_leaves(description: Mapping[str, Any]) -> tuple[str, ...]:
  """Returns the leaves that a conversion made new, by what model.json says."""
  report = description.get("report")
  new = report.get("new") if isinstance(report, Mapping) else None
  return tuple(sorted(new)) if isinstance(new, Mapping) else ()


def describe_untrained(saved: SavedModel) -> str:
  """Returns in a sentence which leaves were never trained; "" if none is."""
  leaves = untrained_leaves(saved.description)
  if not leaves:
    return ""
  return (
    f"{saved.name} is not trained in whole: {summarize_names(leaves)} "
    "have their first values."
  )
