"""What became of every tensor and every leaf, for people and for files."""

import collections
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import flax.traverse_util as trees
from rich import box
from rich.table import Table

from convert_weights.plan import Proposal
from convert_weights.planning.mapping import Step

_NUMBER = re.compile(r"(?<=\.)\d+(?=\.)|(?<=block)\d+|(?<=stage)\d+|(?<=layer)\d+")


class _Line(NamedTuple):
  """One line of the table; those that differ in numbers alone are one."""

  what: str
  name: str
  shape: str
  note: str


def table(todo: Proposal, tensors: Mapping[str, Any]) -> Table:
  """Returns the table of a proposal, blocks of one kind in one line."""
  shown = Table(title=f"{todo.source.name} -> {todo.model_name}", box=box.SIMPLE_HEAD)
  for column in ("", "", "leaf or tensor; from what, or why"):
    shown.add_column(column, overflow="fold")
  styles = {"used": "green", "new": "yellow", "skipped": "dim"}
  counted = collections.Counter(_lines(todo, tensors))
  for line, times in counted.items():
    # Two lines, so that names are whole where a terminal has 80 columns.
    text = f"{line.name} {line.shape}\n  {line.note}"
    shown.add_row(f"{times} x", line.what, text, style=styles[line.what])
  return shown


def summary(todo: Proposal) -> str:
  """Returns the table in one line."""
  plan = todo.plan
  used = sum(len(step.tensors) for step in plan.steps)
  return (
    f"{used} tensors used, {len(plan.skipped)} skipped; {len(plan.steps)} "
    f"leaves made, {len(plan.new)} new."
  )


def as_json(todo: Proposal) -> dict[str, Any]:
  """Returns the whole mapping, for `model.json`."""
  plan = todo.plan
  return {
    "used": {
      step.leaf: {"tensors": list(step.tensors), "rule": _rule(step)}
      for step in plan.steps
    },
    "new": dict(plan.new),
    "skipped": dict(plan.skipped),
    "notes": list(todo.notes),
    "assumed": list(todo.assumed),
  }


def _lines(todo: Proposal, tensors: Mapping[str, Any]) -> Iterable[_Line]:
  leaves = trees.flatten_dict(todo.target, sep="/")
  for step in todo.plan.steps:
    names = ", ".join(_star(name) for name in step.tensors)
    shape = str(leaves[step.leaf].shape)
    yield _Line("used", _star(step.leaf), shape, names)
  for leaf, reason in todo.plan.new.items():
    yield _Line("new", _star(leaf), str(leaves[leaf].shape), reason)
  skipped = todo.plan.skipped
  first = {reason: name for name, reason in reversed(skipped.items())}
  for reason in skipped.values():
    yield _Line("skipped", f"{first[reason]} ...", "", reason)


def _star(name: str) -> str:
  """Puts a star for the numbers of blocks, stages and layers."""
  return _NUMBER.sub("*", name)


def _rule(step: Step) -> str:
  change = step.rule.change
  return step.rule.pattern + (f"; {change.__name__}" if change else "")
