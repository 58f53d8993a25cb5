"""Checks of the fields of a JSON value, to be declared as a table.

A check is called as `check(where, value)` with the place of the value, such as
"model.json: protocol.num_clips", and raises ValueError unless it is allowed.
"""

import math
import reprlib
from collections.abc import Callable, Collection, Mapping
from typing import Any

from temporal_jax.lookup import did_you_mean, near_names

Check = Callable[[str, Any], None]


def anything(where: str, value: Any) -> None:
  """Allows every value."""
  del where, value


def boolean(where: str, value: Any) -> None:
  """Allows true and false."""
  if not isinstance(value, bool):
    refuse(where, value, "true or false")


def whole(low: int, high: int) -> Check:
  """Allows integers from `low` to `high`."""

  def check(where: str, value: Any) -> None:
    if type(value) is not int or not low <= value <= high:
      refuse(where, value, f"an integer from {low} to {high}")

  return check


def number(low: float, high: float) -> Check:
  """Allows finite numbers from `low` to `high`."""

  def check(where: str, value: Any) -> None:
    of_kind = type(value) in (int, float)
    if not of_kind or not math.isfinite(value) or not low <= value <= high:
      refuse(where, value, f"a number from {low:g} to {high:g}")

  return check


def text(longest: int) -> Check:
  """Allows text of 1 to `longest` characters that is not all white space."""

  def check(where: str, value: Any) -> None:
    fits = isinstance(value, str) and len(value) <= longest and value.strip()
    if not fits:
      refuse(where, value, f"text of 1 to {longest} characters")

  return check


def one_of(choices: Collection[str]) -> Check:
  """Allows some texts; near ones are suggested for another."""

  def check(where: str, value: Any) -> None:
    if isinstance(value, str) and value in choices:
      return
    known = sorted(choices)
    allowed = f"one of {known}" if len(known) <= 40 else "a known name"
    refuse(where, value, allowed, did_you_mean(value, known))

  return check


def null_or(check: Check) -> Check:
  """Allows null and the values of another check."""
  return lambda where, value: None if value is None else check(where, value)


def list_of(check: Check, low: int, high: int) -> Check:
  """Allows lists of `low` to `high` items that a check allows."""

  def check_list(where: str, value: Any) -> None:
    if not isinstance(value, list) or not low <= len(value) <= high:
      count = f"{low}" if low == high else f"{low} to {high}"
      refuse(where, value, f"a list of {count} items")
    for place, item in enumerate(value):
      check(f"{where}[{place}]", item)

  return check_list


def object_of(check: Check, high: int) -> Check:
  """Allows objects of 1 to `high` members, with any keys."""

  def check_object(where: str, value: Any) -> None:
    if not isinstance(value, dict) or not 1 <= len(value) <= high:
      refuse(where, value, f"an object of 1 to {high} members")
    for key, item in value.items():
      check(f"{where}.{key[:80]}", item)

  return check_object


def check_members(
  where: str,
  value: Any,
  fields: Mapping[str, Check],
  needed: Collection[str],
  *,
  prefix: str = "",
) -> list[str]:
  """Checks the members of an object.

  Args:
    where: Place of the object.
    value: The object.
    fields: The check of each member that is known.
    needed: Members that must be there.
    prefix: Text in front of a member's name in messages, such as "protocol.".

  Returns:
    The members that `fields` does not know.

  Raises:
    ValueError: If it is no object, a needed member is missing, near names are
      suggested, or a member is not allowed.
  """
  if not isinstance(value, dict):
    refuse(where, value, "a JSON object")
  unknown = [name for name in value if name not in fields]
  if missing := [name for name in needed if name not in value]:
    near = near_names(missing[0], unknown, count=1)
    hint = f"; it has {near[0]!r} instead" if near else ""
    names = [prefix + name for name in missing]
    raise ValueError(f"{where} lacks {names}{hint}.")
  for name, check in fields.items():
    if name in value:
      check(f"{where}: {prefix}{name}", value[name])
  return unknown


def unknown_members(
  where: str, unknown: Collection[str], known: Collection[str]
) -> str:
  """Returns a sentence that names unknown members, with near known names."""
  shown = reprlib.repr(sorted(unknown))
  near = [
    name for one in sorted(unknown)[:5] for name in near_names(one, known, count=1)
  ]
  hint = f"; did you mean {near}?" if near else "."
  return f"{where} has unknown fields {shown}{hint}"


def refuse(where: str, value: Any, allowed: str, hint: str = "") -> None:
  """Raises ValueError with the wrong value and the right ones."""
  met = "null" if value is None else _SHORT.repr(value)
  if isinstance(value, list | dict):
    kind = "list" if isinstance(value, list) else "object"
    met = f"a {kind} of {len(value)}: {met}"
  raise ValueError(f"{where} must be {allowed}, got {met}{hint or '.'}")


_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 60
_SHORT.maxlevel = 2
