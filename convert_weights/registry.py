"""The checkpoint formats by name, read from the modules of `formats`."""

import re
from collections.abc import Collection, Mapping
from types import MappingProxyType

from convert_weights import formats
from convert_weights.checkpoint_format import CheckpointFormat
from temporal_jax.lookup import declared, lookup

BY_MODULE: Mapping[str, tuple[CheckpointFormat, ...]] = declared(
  formats.__name__, "FORMATS"
)
SOURCES: Mapping[str, CheckpointFormat] = MappingProxyType(
  {source.name: source for found in BY_MODULE.values() for source in found}
)
SUPPORTED = tuple(name for name, source in SOURCES.items() if source.supported)


def find_source(name: str) -> CheckpointFormat:
  """Returns the source of that name.

  Raises:
    ValueError: If there is none; near names are suggested.
  """
  return lookup(SOURCES, name, "source")


def possible_sources(
  name: str | None, tensors: Collection[str]
) -> list[CheckpointFormat]:
  """Returns the source of that name, or those that the tensors may be of.

  These are the recognised ones, or all if a damaged file shows none.

  Raises:
    ValueError: If there is no source of that name.
  """
  if name is not None:
    return [find_source(name)]
  return recognise(tensors) or list(SOURCES.values())


def recognise(names: Collection[str]) -> list[CheckpointFormat]:
  """Returns the sources whose naming the names of tensors show."""
  return [
    source
    for source in SOURCES.values()
    if all(any_matches(mark, names) for mark in source.marks)
    and not any(any_matches(mark, names) for mark in source.absent)
  ]


def any_matches(regex: str, names: Collection[str]) -> bool:
  """Returns whether an expression is the whole of one of the names."""
  expression = re.compile(regex)
  return any(expression.fullmatch(name) for name in names)
