"""Checks of arguments.

Each raises a ValueError with the argument, its value and the allowed ones.
"""

import math
import numbers
import re
from collections.abc import Collection
from typing import Any

_PLAIN = re.compile(r"\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*")


def parse_number(text: str) -> float:
  """Returns the number of a text as people write it: "12", "-1.5" or "1e-3".

  Python's `float` also takes 1_0, digits of other scripts, nan and inf.

  Raises:
    ValueError: If it is none.
  """
  if not _PLAIN.fullmatch(text):
    raise ValueError(f"{text[:80]!r} is no number.")
  return float(text)


def fill_template(name: str, template: str, **values: Any) -> str:
  """Returns a template with values for its fields, such as "v_{id}.mp4".

  Raises:
    ValueError: If `template`, the argument `name`, has other fields, or a field
      whose format does not fit its value.
  """
  try:
    return template.format(**values)
  except (AttributeError, IndexError, KeyError, TypeError, ValueError):
    fields = ", ".join(f"{{{field}}}" for field in values)
    raise ValueError(
      f"{name} may have only the fields {fields} in braces, got {template!r}."
    ) from None


def check_number(name: str, value: Any, low: float, high: float = math.inf) -> None:
  """Raises ValueError unless `value` is a number in [low, high]."""
  number = isinstance(value, int | float) and not isinstance(value, bool)
  if not number or not low <= value <= high:
    raise ValueError(f"{name} must be a number in [{low}, {high}], got {value!r}.")


def is_whole(value: Any) -> bool:
  """Whether a value is an integer of Python or NumPy, and no boolean."""
  return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def check_whole(name: str, value: Any, low: int) -> None:
  """Raises ValueError unless `value` is an integer of at least `low`."""
  if not is_whole(value) or value < low:
    raise ValueError(f"{name} must be an integer of at least {low}, got {value!r}.")


def check_at_least(name: str, value: float, low: float) -> None:
  """Raises ValueError unless `value`, a number, is at least `low`."""
  if not value >= low:
    raise ValueError(f"{name} must be at least {low}, got {value}.")


def check_range(name: str, value: Any, low: float, high: float) -> None:
  """Raises ValueError unless `value` is (a, b), low < a <= b <= high."""
  if not isinstance(value, tuple | list) or len(value) != 2:
    raise ValueError(f"{name} must be (lowest, highest), got {value!r}.")
  for bound in value:
    check_number(name, bound, low, high)
  if not low < value[0] <= value[1]:
    raise ValueError(f"{name} must be {low} < lowest <= highest, got {value!r}.")


def check_choice(name: str, value: Any, allowed: Collection[Any]) -> None:
  """Raises ValueError unless `value` is one of `allowed`."""
  if value not in allowed:
    raise ValueError(f"{name} must be one of {list(allowed)}, got {value!r}.")
