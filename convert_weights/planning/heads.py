"""Classifiers of a checkpoint: their classes, and how to leave them out."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import flax.traverse_util as trees

from convert_weights.checkpoint_format import CheckpointFormat
from convert_weights.planning.mapping import find_ways
from convert_weights.rules import Rule
from temporal_jax.models.network import Network


def without(
  source: CheckpointFormat,
  network: Network,
  head: Sequence[str],
  classes: int | Mapping[str, int],
) -> CheckpointFormat:
  """Returns a source whose tensors do not make the leaves of the head."""
  rules = source.rules(network)
  reason = f"a head of {classes} classes"
  names = {
    name for leaf in head for step in find_ways(rules, leaf) for name in step.tensors
  }
  return source._replace(
    rules=lambda network: [
      rule for rule in rules if not any(rule.match(leaf) is not None for leaf in head)
    ],
    skip={**source.skip, **{re.escape(name): reason for name in names}},
    new={**source.new, **{re.escape(leaf): "other classes" for leaf in head}},
  )


def count_tasks(source: CheckpointFormat, tensors: Mapping[str, Any]) -> dict[str, int]:
  """Returns the classes of each task, {} if the checkpoint has one head."""
  return {
    task: tensors[name].shape[0]
    for task, regex in source.tasks.items()
    for name in tensors
    if re.fullmatch(regex, name)
  }


def count_classes(
  probed: Mapping[str, Any], rules: Sequence[Rule], tensors: Mapping[str, Any]
) -> int | None:
  """Returns the classes of the checkpoint, None if it has no classifier.

  Args:
    probed: Variables of the network with one class.
    rules: Rules of the source.
    tensors: Tensors of the checkpoint.

  Raises:
    ValueError: If kernel and bias of the classifier differ in it.
  """
  leaves = trees.flatten_dict(probed, sep="/")
  for path, leaf in leaves.items():
    if leaf.ndim != 2 or leaf.shape[1] != 1:
      continue
    layer = path.removesuffix("kernel")
    counts = {}
    for part in (path, f"{layer}bias"):
      counts |= _last_axis(part, rules, tensors)
    if len(set(counts.values())) > 1:
      raise ValueError(f"the classes of the head differ: {counts}.")
    return next(iter(counts.values()), None)
  return None


def _last_axis(
  path: str, rules: Sequence[Rule], tensors: Mapping[str, Any]
) -> dict[str, int]:
  """Returns the tensor that makes a leaf -> the length of its last axis."""
  for step in find_ways(rules, path):
    if all(name in tensors for name in step.tensors):
      names, made = (side.split() for side in step.rule.pattern.split("->"))
      shape = tensors[step.tensors[0]].shape
      if len(shape) == len(names):
        return {step.tensors[0]: shape[names.index(made[-1])]}
  return {}
