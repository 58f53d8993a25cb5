"""Infers properties of a network from its variables."""

from collections.abc import Mapping
from typing import Any

import flax.traverse_util as trees


def count_classes(
  variables: Mapping[str, Any],
) -> int | dict[str, int] | None:
  """Returns the classes of a network, read off its classifier.

  Args:
    variables: {"params", ...}.

  Returns:
    Their number, a dict with one number per task, or None without a classifier.
  """
  params = variables["params"]
  head = params.get("head", params.get("classifier", {}))
  head = head.get("head", head)
  if "bias" in head:
    return head["bias"].shape[0]
  return {task: part["bias"].shape[0] for task, part in head.items()} or None


def differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
  """Returns the leaves that only one of two trees has, or of other shapes."""
  one, other = (
    {path: leaf.shape for path, leaf in trees.flatten_dict(x, sep="/").items()}
    for x in (one, other)
  )
  return sorted(path for path in one | other if one.get(path) != other.get(path))
