"""Reports each tensor and each leaf, for people and for files."""

import collections
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import flax.traverse_util as trees
from rich import box
from rich.table import Table

from convert_weights.planning.conversion_plan import ConversionPlan
from convert_weights.planning.mapping import Step

_NUMBER = re.compile(r"(?<=\.)\d+(?=\.)|(?<=block)\d+|(?<=stage)\d+|(?<=layer)\d+")


class _Line(NamedTuple):
  """One line of the table; those that differ in numbers alone are one."""

  what: str
  name: str
  shape: str
  note: str


def table(plan: ConversionPlan, tensors: Mapping[str, Any]) -> Table:
  """Returns the table of a plan, blocks of one kind in one line."""
  shown = Table(title=f"{plan.source.name} -> {plan.model_name}", box=box.SIMPLE_HEAD)
  for column in ("", "", "leaf or tensor; from what, or why"):
    shown.add_column(column, overflow="fold")
  styles = {"used": "green", "new": "yellow", "skipped": "dim"}
  counted = collections.Counter(_lines(plan, tensors))
  for line, times in counted.items():
    # Two lines, so that names are whole where a terminal has 80 columns.
    text = f"{line.name} {line.shape}\n  {line.note}"
    shown.add_row(f"{times} x", line.what, text, style=styles[line.what])
  return shown


def summary(plan: ConversionPlan) -> str:
  """Returns the table in one line."""
  mapping = plan.mapping
  used = sum(len(step.tensors) for step in mapping.steps)
  return (
    f"{used} tensors used, {len(mapping.skipped)} skipped; {len(mapping.steps)} "
    f"leaves made, {len(mapping.new)} new."
  )


def as_json(plan: ConversionPlan) -> dict[str, Any]:
  """Returns the whole mapping, for `model.json`."""
  mapping = plan.mapping
  return {
    "used": {
      step.leaf: {"tensors": list(step.tensors), "rule": _rule(step)}
      for step in mapping.steps
    },
    "new": dict(mapping.new),
    "skipped": dict(mapping.skipped),
    "notes": list(plan.notes),
    "assumed": list(plan.assumed),
  }


def _lines(plan: ConversionPlan, tensors: Mapping[str, Any]) -> Iterable[_Line]:
  leaves = trees.flatten_dict(plan.target, sep="/")
  for step in plan.mapping.steps:
    names = ", ".join(_star(name) for name in step.tensors)
    shape = str(leaves[step.leaf].shape)
    yield _Line("used", _star(step.leaf), shape, names)
  for leaf, reason in plan.mapping.new.items():
    yield _Line("new", _star(leaf), str(leaves[leaf].shape), reason)
  skipped = plan.mapping.skipped
  first = {reason: name for name, reason in reversed(skipped.items())}
  for reason in skipped.values():
    yield _Line("skipped", f"{first[reason]} ...", "", reason)


def _star(name: str) -> str:
  """Puts a star for the numbers of blocks, stages and layers."""
  return _NUMBER.sub("*", name)


def _rule(step: Step) -> str:
  change = step.rule.change
  return step.rule.pattern + (f"; {change.__name__}" if change else "")
