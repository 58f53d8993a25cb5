"""Parses cells of annotation files; every error names the place."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from temporal_jax.lookup import alike_names
from temporal_jax.validation import parse_number

# Ten years: nothing that is filmed lasts longer, but frame numbers instead of
# seconds may.
MAX_SECONDS = 10 * 366 * 86_400


def member(where: str, entry: Any, name: str) -> Any:
  """Returns a member of a JSON object.

  Raises:
    ValueError: If it is missing.
  """
  if not isinstance(entry, dict) or name not in entry:
    found = sorted(entry)[:9] if isinstance(entry, dict) else repr(entry)[:80]
    raise ValueError(f"{where}: {name!r} is missing, there is {found}.")
  return entry[name]


def words(where: str, entry: Any, name: str) -> str:
  """Returns a member of a JSON object that is text, or a number as text.

  Raises:
    ValueError: If it is missing or empty, or something else.
  """
  value = member(where, entry, name)
  of_kind = isinstance(value, str | int) and not isinstance(value, bool)
  if not of_kind or not str(value).strip():
    raise ValueError(f"{where}: {name} must be text, got {repr(value)[:80]}.")
  return str(value)


def whole(where: str, name: str, value: Any, low: int = 0) -> int:
  """Returns a cell as an integer of at least `low`.

  Raises:
    ValueError: If it is none.
  """
  try:
    # int() would cut 1.5 off, and take true for 1 and "1_0" for 10.
    is_plain = type(value) is int or (type(value) is str and "_" not in value)
    number = int(value) if is_plain else low - 1
  except ValueError:
    number = low - 1
  if number < low:
    raise ValueError(
      f"{where}: {name} must be an integer of at least {low}, got {repr(value)[:80]}."
    )
  return number


def seconds(where: str, name: str, value: Any) -> float:
  """Returns a cell as seconds: "12.5", or "0:00:12.5" in hours and minutes.

  Raises:
    ValueError: If it is none, negative or above `MAX_SECONDS`.
  """
  total = -1.0
  try:
    parts = [parse_number(part) for part in str(value).split(":")]
    hours, minutes, rest = parts if len(parts) == 3 else (0, 0, *parts)
    # Seconds that were rounded may be 60.
    is_time = len(parts) == 1 or (minutes < 60 and rest <= 60)
    if min(parts) >= 0 and is_time:
      total = 3600 * hours + 60 * minutes + rest
  except ValueError:
    pass
  if not 0 <= total <= MAX_SECONDS:
    raise ValueError(
      f"{where}: {name} must be seconds or h:m:s, at most ten years, got "
      f"{repr(value)[:80]}."
    )
  return total


def class_number(where: str, names: Mapping[str, int], name: str) -> int:
  """Returns the number of a class.

  Raises:
    ValueError: If it is not one of them.
  """
  if name not in names:
    raise ValueError(
      f"{where}: the class {name[:80]!r} is not one of the {len(names)} known ones"
      f"{alike_names(names, [name[:80]])}."
    )
  return names[name]


def class_in_range(where: str, value: Any, count: int) -> int:
  """Returns a class that is given by its number.

  Raises:
    ValueError: If it is not in [0, count).
  """
  number = whole(where, "the class", value)
  if number >= count:
    raise ValueError(f"{where}: the class must be in [0, {count}), got {number}.")
  return number


def numbered(names: Sequence[str]) -> dict[str, int]:
  """Returns the number of each name."""
  return {name: number for number, name in enumerate(names)}


def in_order(
  pairs: Iterable[tuple[int, str]], where: str, *, first: int = 0
) -> tuple[str, ...]:
  """Returns the names of pairs (number, name) in the order of the numbers.

  Raises:
    ValueError: If numbers leave a gap, or a number or a name is there twice.
  """
  numbers: dict[int, str] = {}
  owners: dict[str, int] = {}
  for number, name in pairs:
    if number in numbers or name in owners:
      raise ValueError(
        f"{where}: numbers and names of classes must be distinct, got "
        f"{number} {name[:80]!r} and "
        f"{owners.get(name, number)} {numbers.get(number, name)[:80]!r}."
      )
    numbers[number], owners[name] = name, number
  expected = range(first, first + len(numbers))
  gaps = sorted(set(expected) - set(numbers))
  if gaps or not numbers:
    raise ValueError(
      f"{where}: classes must be numbered from {first} on, {gaps[:5]} are "
      f"missing of {len(numbers)}."
    )
  return tuple(numbers[number] for number in expected)
