"""Maps tensors to leaves by rules, from names and shapes only."""

import functools
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import einops
import flax.traverse_util as trees
import jax
import jax.numpy as jnp

from convert_weights.checkpoint_format import NOTHING, SKIP
from convert_weights.rules import Rule


class Step(NamedTuple):
  """Way of making one leaf."""

  leaf: str
  rule: Rule
  tensors: tuple[str, ...]

  def apply(
    self,
    tensors: Mapping[str, Any],
    shape: tuple[int, ...],
    inflation: str = "centre",
  ) -> Any:
    """Makes the leaf of the tensors by name, see `Rule.apply`."""
    return self.rule.apply([tensors[name] for name in self.tensors], shape, inflation)


class TensorMapping(NamedTuple):
  """Mapping of every leaf and of every tensor.

  Attributes:
    steps: The leaves that tensors make.
    new: Leaf that keeps its initial value -> the reason.
    skipped: Tensor that stays unused -> the reason.
    problems: Problems found: "-" leaves that nothing makes, "+" tensors that
      nothing uses, "!" shapes and dtypes that do not fit.
  """

  steps: tuple[Step, ...]
  new: Mapping[str, str]
  skipped: Mapping[str, str]
  problems: tuple[str, ...]


def map_tensors(
  rules: Sequence[Rule],
  tensors: Mapping[str, Any],
  target: Mapping[str, Any],
  *,
  skip: Mapping[str, str] = SKIP,
  new: Mapping[str, str] = NOTHING,
) -> TensorMapping:
  """Plans how every leaf of `target` is made, using only shapes.

  Args:
    rules: Rules that make leaves; the first matching rule whose tensors all
      exist makes the leaf, so that a tensor may have several names.
    tensors: Arrays, or their shapes and dtypes, by their names in the source.
    target: Variables whose leaves have a shape, e.g. by `jax.eval_shape`.
    skip: Regular expression of tensors that may stay unused -> the reason.
    new: Regular expression of leaves that keep their initial values where the
      source does not make them -> the reason.
  """
  steps, fresh, problems, used = [], {}, [], set()
  for path, leaf in trees.flatten_dict(target, sep="/").items():
    ways = find_ways(rules, path)
    step = next((w for w in ways if all(n in tensors for n in w.tensors)), None)
    if step:
      used.update(step.tensors)
      steps.append(step)
      problems += _misfits(step, tensors, leaf)
    elif reason := _reason(new, path):
      fresh[path] = reason
    elif ways:
      lacks = _missing(ways, tensors)
      problems.append(f"- {path} {leaf.shape}: the source lacks {lacks}")
    else:
      problems.append(f"- {path} {leaf.shape}: no rule makes it")
  skipped = {}
  for name in tensors:
    if name in used:
      continue
    if reason := _reason(skip, name):
      skipped[name] = reason
    else:
      problems.append(f"+ {name} {tensors[name].shape}: no leaf uses it")
  return TensorMapping(tuple(steps), fresh, skipped, tuple(sorted(problems)))


def _misfits(step: Step, tensors: Mapping[str, Any], leaf: Any) -> list[str]:
  """Returns the reasons why a step's tensors do not make its leaf."""
  parts = {name: tensors[name] for name in step.tensors}
  for name, part in parts.items():
    if not jnp.issubdtype(part.dtype, jnp.floating):
      return [f"! {step.leaf}: {name} must be floating point, it is {part.dtype}"]
  shapes = {
    name: jax.ShapeDtypeStruct(part.shape, jnp.float32) for name, part in parts.items()
  }
  try:
    shape = jax.eval_shape(lambda t: step.apply(t, leaf.shape), shapes).shape
  except (einops.EinopsError, ValueError, TypeError):  # Axes do not fit.
    shape = None
  if shape == leaf.shape:
    return []
  listed = ", ".join(f"{name} {part.shape}" for name, part in parts.items())
  return [f"! {step.leaf} {leaf.shape}: cannot be made from {listed}"]


def find_ways(rules: Sequence[Rule], path: str) -> list[Step]:
  """Returns the possible ways to make a leaf: the rules that match it."""
  matches = ((rule, rule.match(path)) for rule in rules)
  return [
    Step(path, rule, rule.sources(numbers))
    for rule, numbers in matches
    if numbers is not None
  ]


def _missing(ways: Sequence[Step], tensors: Mapping[str, Any]) -> str:
  """Returns the tensors that the ways which lack the fewest of them lack."""
  missing = [[n for n in way.tensors if n not in tensors] for way in ways]
  fewest = min(map(len, missing))
  return " or ".join(str(names) for names in missing if len(names) == fewest)


def _reason(reasons: Mapping[str, str], name: str) -> str:
  """Returns the reason of the first expression that matches the whole name."""
  found = (r for regex, r in reasons.items() if _compiled(regex).fullmatch(name))
  return next(found, "")


_compiled = functools.cache(re.compile)
