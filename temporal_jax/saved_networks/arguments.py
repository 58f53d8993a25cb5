"""Allowed JSON values of a network's arguments, by their annotations."""

import dataclasses
import types
import typing
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from temporal_jax.untrusted import fields

_LONGEST_TEXT = 200
_MAX_STAGES = 16
# Rates, epsilons and first scales of layers.
_FRACTION = (0.0, 1.0)
DTYPE = fields.null_or(fields.one_of(("float32", "bfloat16", "float16")))


def check_arguments(
  module: type,
  *,
  ranges: Mapping[str, tuple[float, float]],
  others: tuple[int, int],
  without: Collection[str],
) -> dict[str, fields.Check]:
  """Returns a check for each argument of a class that JSON can hold.

  Args:
    module: The class, a dataclass.
    ranges: Lowest and largest value of numbers, by argument.
    others: Lowest and largest value of the other whole numbers.
    without: Arguments that are left out.
  """
  checks = {
    field.name: _check_of(
      field.type, ranges.get(field.name, others), ranges.get(field.name, _FRACTION)
    )
    for field in dataclasses.fields(module)
    if field.name not in without
  }
  return {name: check for name, check in checks.items() if check}


def _check_of(
  kind: Any, limits: tuple[float, float], fractions: tuple[float, float]
) -> fields.Check | None:
  """Returns the check of an annotated argument; None if JSON cannot hold it.

  Args:
    kind: The annotation.
    limits: Lowest and largest whole number.
    fractions: Lowest and largest other number.
  """
  if kind is bool:
    return fields.boolean
  if kind is int:
    return fields.whole(*limits)
  if kind is float:
    return fields.number(*fractions)
  if kind is str:
    return fields.text(_LONGEST_TEXT)
  origin, parts = typing.get_origin(kind), typing.get_args(kind)
  if origin in (typing.Union, types.UnionType):
    checks = [
      _check_of(part, limits, fractions) for part in parts if part is not type(None)
    ]
    first = next(filter(None, checks), None)
    return fields.null_or(first) if first and type(None) in parts else first
  if origin is tuple:
    checks = [_check_of(part, limits, fractions) for part in parts]
    return each_of(checks) if all(checks) else None
  if origin is Sequence:
    item = _check_of(parts[0], limits, fractions)
    return fields.list_of(item, 1, _MAX_STAGES) if item else None
  return None


def each_of(checks: Sequence[fields.Check]) -> fields.Check:
  """Allows lists of one item for each check."""
  length = fields.list_of(fields.anything, len(checks), len(checks))

  def check_each(where: str, value: Any) -> None:
    length(where, value)
    for place, (check, item) in enumerate(zip(checks, value, strict=True)):
      check(f"{where}[{place}]", item)

  return check_each
