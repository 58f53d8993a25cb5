"""Conversion by rules: complete in both directions, or an error that says why.

Nothing here depends on whether a tensor is a NumPy or a JAX array, so that a
conversion can be differentiated as well.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import einops
import flax.traverse_util as trees
import jax

from convert_weights.rules import Rule

# Counters that no network reads.
SKIP = (r"(.*\.)?num_batches_tracked",)


def convert(
  rules: Sequence[Rule],
  tensors: Mapping[str, Any],
  target: Mapping[str, Any],
  *,
  skip: Iterable[str] = SKIP,
) -> dict[str, Any]:
  """Makes every leaf of `target` of `tensors`, each exactly once.

  Args:
    rules: How leaves are made; the first that matches a leaf makes it.
    tensors: Arrays by their names in the source.
    target: Variables whose leaves have a shape, e.g. by `jax.eval_shape`.
    skip: Regular expressions of tensors that may stay unused.

  Raises:
    ValueError: If a leaf is not made ("-"), a tensor is not used ("+"), or a
      shape differs ("!"); all of them are listed.
  """
  made, used, wrong = {}, set(), []
  for path, leaf in trees.flatten_dict(target, sep="/").items():
    rule, names = _find(rules, path)
    if rule is None:
      wrong.append(f"- {path} {leaf.shape}: no rule makes it")
      continue
    missing = [name for name in names if name not in tensors]
    if missing:
      wrong.append(f"- {path} {leaf.shape}: the source lacks {missing}")
      continue
    used.update(names)
    parts = [tensors[name] for name in names]
    try:
      value = _forward(rule.pattern, parts, leaf.shape)
    except (einops.EinopsError, ValueError):  # Axes that do not fit.
      value = None
    if value is None or value.shape != leaf.shape:
      shapes = ", ".join(f"{n} {tensors[n].shape}" for n in names)
      wrong.append(f"! {path} {leaf.shape}: does not come of {shapes}")
      continue
    made[path] = value
  for name in tensors:
    if name not in used and not any(re.fullmatch(s, name) for s in skip):
      wrong.append(f"+ {name} {tensors[name].shape}: no leaf uses it")
  if wrong:
    raise ValueError("the weights do not fit:\n" + "\n".join(sorted(wrong)))
  return trees.unflatten_dict(made, sep="/")


def revert(
  rules: Sequence[Rule], variables: Mapping[str, Any]
) -> dict[str, jax.Array]:
  """Makes the source's tensors of `variables`: `convert` read backwards.

  Raises:
    ValueError: If no rule makes a leaf.
  """
  tensors = {}
  for path, leaf in trees.flatten_dict(variables, sep="/").items():
    rule, names = _find(rules, path)
    if rule is None:
      raise ValueError(f"- {path} {leaf.shape}: no rule makes it")
    left, right = rule.pattern.split("->")
    value = einops.rearrange(leaf, f"{right} -> {left}")
    values = list(value) if len(names) > 1 else [value]
    tensors.update(zip(names, values, strict=True))
  return tensors


def _forward(pattern: str, parts: Sequence[Any], shape: tuple[int, ...]) -> Any:
  """Applies a rule's pattern; the axes' lengths are those of the leaf."""
  axes = pattern.split("->")[1].split()
  lengths = {a: n for a, n in zip(axes, shape, strict=True) if a != "1"}
  value = parts[0] if len(parts) == 1 else list(parts)
  return einops.rearrange(value, pattern, **lengths)


def _find(
  rules: Sequence[Rule], path: str
) -> tuple[Rule | None, tuple[str, ...]]:
  """Returns the rule that makes the leaf `path` and the tensors it needs."""
  for rule in rules:
    numbers = rule.match(path)
    if numbers is not None:
      return rule, rule.sources(numbers)
  return None, ()
