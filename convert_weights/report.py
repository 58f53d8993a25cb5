"""Reports each tensor and each leaf, for people and for files."""

import collections
import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import flax.traverse_util as trees
from rich import box
from rich.table import Table

from convert_weights.planning.mapping import Step, TensorMapping

_NUMBER = re.compile(r"\d+")


class _Line(NamedTuple):
  """One leaf or tensor of the table.

  Attributes:
    what: "used", "new" or "skipped".
    name: Name of the leaf, or of the tensor that is skipped.
    shape: Its shape, "" if it is not shown.
    note: The tensors, or the reason.
  """

  what: str
  name: str
  shape: str
  note: str


def table(title: str, mapping: TensorMapping, target: Mapping[str, Any]) -> Table:
  """Returns the table of a mapping, blocks of one kind in one line.

  Args:
    title: Title of the table, with the naming and the network.
    mapping: Mapping of every leaf and tensor.
    target: The network's variables, as shapes.
  """
  shown = Table(title=title, box=box.SIMPLE_HEAD)
  for column in ("", "", "leaf and shape, or tensor; from what, or why"):
    shown.add_column(column, overflow="fold")
  styles = {"used": "green", "new": "yellow", "skipped": "dim"}
  for lines in _alike(_lines(mapping, target)):
    what = lines[0].what
    shapes = list(dict.fromkeys(line.shape for line in lines))
    shape = shapes[0] if len(shapes) == 1 else f"{shapes[0]} to {shapes[-1]}"
    # Two lines, so that names are whole where a terminal has 80 columns.
    text = f"{_common(x.name for x in lines)} {shape}\n  "
    text += _common(x.note for x in lines)
    shown.add_row(f"{len(lines)} x", what, text, style=styles[what])
  return shown


def summary(mapping: TensorMapping) -> str:
  """Returns the table in one line."""
  used = sum(len(step.tensors) for step in mapping.steps)
  return (
    f"{used} tensors used, {len(mapping.skipped)} skipped; {len(mapping.steps)} "
    f"leaves made, {len(mapping.new)} new."
  )


def as_json(
  mapping: TensorMapping, notes: Sequence[str], assumed: Sequence[str] = ()
) -> dict[str, Any]:
  """Returns the whole mapping, for `model.json`.

  Args:
    mapping: Mapping of every leaf and tensor.
    notes: Remarks for the user.
    assumed: Assumptions about the network where nothing states its arguments.
  """
  return {
    "used": {
      step.leaf: {"tensors": list(step.tensors), "rule": _rule(step)}
      for step in mapping.steps
    },
    "new": dict(mapping.new),
    "skipped": dict(mapping.skipped),
    "notes": list(notes),
    "assumed": list(assumed),
  }


def _lines(mapping: TensorMapping, target: Mapping[str, Any]) -> Iterator[_Line]:
  leaves = trees.flatten_dict(target, sep="/")
  for step in mapping.steps:
    shape = str(leaves[step.leaf].shape)
    yield _Line("used", step.leaf, shape, ", ".join(step.tensors))
  for leaf, reason in mapping.new.items():
    yield _Line("new", leaf, str(leaves[leaf].shape), reason)
  skipped = mapping.skipped
  first = {reason: name for name, reason in reversed(skipped.items())}
  for reason in skipped.values():
    yield _Line("skipped", f"{first[reason]} ...", "", reason)


def _alike(lines: Iterable[_Line]) -> Iterable[list[_Line]]:
  """Returns lines that differ in numbers and shapes only, such as a block's."""
  groups = collections.defaultdict(list)
  for line in lines:
    texts = (_NUMBER.sub("*", text) for text in (line.name, line.note))
    groups[line.what, *texts].append(line)
  return groups.values()


def _common(texts: Iterable[str]) -> str:
  """Returns texts that differ in numbers as one, with a star for these."""
  first, *others = texts
  numbers = [
    set(column) for column in zip(*map(_NUMBER.findall, (first, *others)), strict=True)
  ]
  found = iter(numbers)
  return _NUMBER.sub(lambda match: match[0] if len(next(found)) == 1 else "*", first)


def _rule(step: Step) -> str:
  change = step.rule.change
  return step.rule.pattern + (f"; {_name(change)}" if change else "")


def _name(change: Callable[..., Any]) -> str:
  """Returns the name of a change, with the arguments that it was given."""
  if not isinstance(change, functools.partial):
    return change.__name__
  given = ", ".join(f"{name}={value:g}" for name, value in change.keywords.items())
  return f"{change.func.__name__}({given})"
