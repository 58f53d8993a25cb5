"""The one table from a source's name to what is said of it."""

import difflib
import re
from collections.abc import Collection, Mapping
from types import MappingProxyType

from convert_weights.source import Source
from convert_weights.sources import atm, blvnet, clip

SOURCES: Mapping[str, Source] = MappingProxyType(
  {
    source.name: source
    for module in (atm, blvnet, clip)
    for source in getattr(module, "SOURCES", ())
  }
)


def find_source(name: str) -> Source:
  """Returns the source of that name.

  Raises:
    ValueError: If there is none; near names are suggested.
  """
  if name not in SOURCES:
    close = difflib.get_close_matches(name, SOURCES, n=3) or sorted(SOURCES)
    raise ValueError(f"unknown source {name!r}; did you mean one of {close}?")
  return SOURCES[name]


def choose_source(name: str | None, tensors: Collection[str]) -> Source:
  """Returns the source of that name, or the one that the tensors show.

  Raises:
    ValueError: If there is none, or the names show none or several.
  """
  if name is not None:
    return find_source(name)
  found = recognise(tensors)
  if len(found) != 1:
    seen = ", ".join(source.name for source in found) or "none"
    raise ValueError(
      f"the names of the tensors, from {min(tensors)!r} on, show no one source "
      f"but {seen}; name one of {sorted(SOURCES)}."
    )
  return found[0]


def recognise(names: Collection[str]) -> list[Source]:
  """Returns the sources whose naming the names of tensors show."""
  return [
    source
    for source in SOURCES.values()
    if all(_any_matches(mark, names) for mark in source.marks)
  ]


def _any_matches(regex: str, names: Collection[str]) -> bool:
  expression = re.compile(regex)
  return any(expression.fullmatch(name) for name in names)
