"""Refuses families of networks that are not supported, by their names.

Without it, a checkpoint of such a family would be taken for a damaged one of
the nearest source.
"""

import re
from collections.abc import Collection, Mapping
from typing import Any

from convert_weights.planning.families import images, others, videos
from convert_weights.planning.families.family import Family

# The first that matches is the one that is named.
FAMILIES: tuple[Family, ...] = (
  *others.FAMILIES,
  *videos.FAMILIES,
  *images.FAMILIES,
)


def find_family(tensors: Mapping[str, Any]) -> Family | None:
  """Returns the unsupported family of a checkpoint, if it is of one.

  Args:
    tensors: Arrays, or their shapes, by name.
  """
  by_axes: dict[int, list[str]] = {}
  for name, tensor in tensors.items():
    by_axes.setdefault(len(tensor.shape), []).append(name)
  texts = {axes: "\n".join(names) for axes, names in by_axes.items()}
  texts[-1] = "\n".join(tensors)

  def has(mark: str) -> bool:
    regex, _, axes = mark.partition(" @")
    return bool(_line(regex).search(texts.get(int(axes or -1), "")))

  for family in FAMILIES:
    if all(map(has, family.marks)) and not any(map(has, family.absent)):
      return family
  return None


def check(tensors: Mapping[str, Any], sources: Collection[str]) -> None:
  """Raises ValueError if a checkpoint is of an unsupported family.

  Args:
    tensors: Arrays, or their shapes, by name.
    sources: Names of the sources that are supported.
  """
  family = find_family(tensors)
  if family is None:
    return
  instead = family.instead or f"supported sources are {', '.join(sources)}"
  raise ValueError(f"these are weights of {family.name}; {instead}.")


def _line(regex: str) -> re.Pattern:
  """Returns the expression of a line that is a name, after any prefix."""
  return re.compile(rf"^(?:.*[./])?(?:{regex})$", re.MULTILINE)
