"""Conversion by rules: complete in both directions, or an error that says why.

Nothing here depends on whether a tensor is a NumPy or a JAX array, so that a
conversion can be differentiated as well, or planned from shapes alone.
"""

import functools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import einops
import flax.traverse_util as trees
import jax
import jax.numpy as jnp

from convert_weights.rules import Rule

# Regular expression of tensors that no network reads -> the reason.
SKIP: Mapping[str, str] = {r"(.*\.)?num_batches_tracked": "a counter"}
NOTHING: Mapping[str, str] = MappingProxyType({})


class Step(NamedTuple):
  """How one leaf is made."""

  leaf: str
  rule: Rule
  tensors: tuple[str, ...]


class Plan(NamedTuple):
  """What becomes of every leaf and of every tensor.

  Attributes:
    steps: The leaves that tensors make.
    new: Leaf that keeps its initial value -> the reason.
    skipped: Tensor that stays unused -> the reason.
    problems: What is wrong: "-" leaves that nothing makes, "+" tensors that
      nothing uses, "!" shapes and dtypes that do not fit.
  """

  steps: tuple[Step, ...]
  new: Mapping[str, str]
  skipped: Mapping[str, str]
  problems: tuple[str, ...]


def plan(
  rules: Sequence[Rule],
  tensors: Mapping[str, Any],
  target: Mapping[str, Any],
  *,
  skip: Mapping[str, str] = SKIP,
  new: Mapping[str, str] = NOTHING,
) -> Plan:
  """Says how every leaf of `target` is made, from shapes alone.

  Args:
    rules: How leaves are made; of those that match a leaf the first makes it
      whose tensors are all there, so that a tensor may have several names.
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
  return Plan(tuple(steps), fresh, skipped, tuple(sorted(problems)))


def fill(
  rules: Sequence[Rule],
  tensors: Mapping[str, Any],
  target: Mapping[str, Any],
  *,
  skip: Iterable[str] = SKIP,
) -> dict[str, Any]:
  """Makes every leaf of `target` of `tensors`, each exactly once.

  Args:
    rules: As of `plan`.
    tensors: Arrays by their names in the source.
    target: As of `plan`.
    skip: Regular expressions of tensors that may stay unused.

  Raises:
    ValueError: If a leaf is not made ("-"), a tensor is not used ("+"), or a
      shape differs ("!"); all of them are listed.
  """
  done = plan(rules, tensors, target, skip=dict.fromkeys(skip, "unused"))
  check(done)
  leaves = trees.flatten_dict(target, sep="/")
  made = {s.leaf: make(s, tensors, leaves[s.leaf].shape) for s in done.steps}
  return trees.unflatten_dict(made, sep="/")


def check(done: Plan) -> None:
  """Raises ValueError if a plan has problems; all of them are listed."""
  if done.problems:
    lines = "\n".join(done.problems)
    raise ValueError(f"the weights do not fit:\n{lines}")


def make(
  step: Step,
  tensors: Mapping[str, Any],
  shape: tuple[int, ...],
  inflation: str = "centre",
) -> Any:
  """Makes one leaf of this shape; `inflation` is that of `changes.inflate`."""
  parts = [tensors[name] for name in step.tensors]
  value = parts[0] if len(parts) == 1 else list(parts)
  pattern, change = step.rule.pattern, step.rule.change
  if change is not None:
    return change(einops.rearrange(value, pattern), shape, inflation)
  # The axes' lengths are those of the leaf.
  axes = pattern.split("->")[1].split()
  lengths = {a: n for a, n in zip(axes, shape, strict=True) if a != "1"}
  return einops.rearrange(value, pattern, **lengths)


def revert(rules: Sequence[Rule], variables: Mapping[str, Any]) -> dict[str, jax.Array]:
  """Makes the source's tensors of `variables`: `fill` read backwards.

  Raises:
    ValueError: If no rule makes a leaf, or one changes values on the way.
  """
  return dict(_reverted(rules, trees.flatten_dict(variables, sep="/")))


def _reverted(
  rules: Sequence[Rule], leaves: Mapping[str, Any]
) -> Iterator[tuple[str, jax.Array]]:
  for path, leaf in leaves.items():
    ways = find_ways(rules, path)
    if not ways:
      raise ValueError(f"- {path} {leaf.shape}: no rule makes it")
    # Rules that inflate, or that refuse tensors, make leaves of other ranks.
    fits = (w for w in ways if leaf.ndim == _rank(w.rule))
    if (step := next(fits, None)) is None:
      raise ValueError(f"! {path} {leaf.shape}: its rule has no way back")
    left, right = step.rule.pattern.split("->")
    value = einops.rearrange(leaf, f"{right} -> {left}")
    values = list(value) if len(step.tensors) > 1 else [value]
    yield from zip(step.tensors, values, strict=True)


def _rank(rule: Rule) -> int:
  """Returns the rank of the leaves that a rule makes."""
  return len(rule.pattern.split("->")[1].split())


def _misfits(step: Step, tensors: Mapping[str, Any], leaf: Any) -> list[str]:
  """Returns why the tensors of a step do not make its leaf."""
  parts = {name: tensors[name] for name in step.tensors}
  for name, part in parts.items():
    if not jnp.issubdtype(part.dtype, jnp.floating):
      return [f"! {step.leaf}: {name} must be floating point, it is {part.dtype}"]
  shapes = {
    name: jax.ShapeDtypeStruct(part.shape, jnp.float32) for name, part in parts.items()
  }
  try:
    shape = jax.eval_shape(lambda t: make(step, t, leaf.shape), shapes).shape
  except (einops.EinopsError, ValueError, TypeError):  # Axes do not fit.
    shape = None
  if shape == leaf.shape:
    return []
  listed = ", ".join(f"{name} {part.shape}" for name, part in parts.items())
  return [f"! {step.leaf} {leaf.shape}: does not come of {listed}"]


def find_ways(rules: Sequence[Rule], path: str) -> list[Step]:
  """Returns how a leaf may be made: the rules that match it."""
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
  """Returns the reason of the first expression that is the whole name."""
  found = (r for regex, r in reasons.items() if _compiled(regex).fullmatch(name))
  return next(found, "")


_compiled = functools.cache(re.compile)
