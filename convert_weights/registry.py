"""The one table from a source's name to what is said of it."""

import re
from collections.abc import Collection, Mapping
from types import MappingProxyType

from convert_weights.checkpoint_format import Source
from convert_weights.formats import (
  atm,
  blvnet,
  clip,
  convnext,
  eva,
  google_vit,
  huggingface_clip,
  huggingface_convnext,
  huggingface_resnet,
  huggingface_vit,
  ila,
  resnet,
  tada,
  timm,
  xclip,
  xvit,
)
from temporal_jax.lookup import lookup

_SOURCES = (
  # Images.
  *resnet.SOURCES,
  *huggingface_resnet.SOURCES,
  *convnext.SOURCES,
  *huggingface_convnext.SOURCES,
  *clip.SOURCES,
  *huggingface_clip.SOURCES,
  *eva.SOURCES,
  *timm.SOURCES,
  *huggingface_vit.SOURCES,
  *google_vit.SOURCES,
  # Videos.
  *blvnet.SOURCES,
  *xvit.SOURCES,
  *atm.SOURCES,
  *ila.SOURCES,
  *xclip.SOURCES,
  *tada.SOURCES,
)
SOURCES: Mapping[str, Source] = MappingProxyType(
  {source.name: source for source in _SOURCES}
)

# Those that some network takes. No network has CLIP's attention pooling.
SUPPORTED = tuple(name for name in SOURCES if name != "openai_clip_resnet")


def find_source(name: str) -> Source:
  """Returns the source of that name.

  Raises:
    ValueError: If there is none; near names are suggested.
  """
  return lookup(SOURCES, name, "source")


def possible_sources(name: str | None, tensors: Collection[str]) -> list[Source]:
  """Returns the source of that name, or those that the tensors may be of.

  These are the recognised ones, or all if a damaged file shows none.

  Raises:
    ValueError: If there is no source of that name.
  """
  if name is not None:
    return [find_source(name)]
  return recognise(tensors) or list(SOURCES.values())


def recognise(names: Collection[str]) -> list[Source]:
  """Returns the sources whose naming the names of tensors show."""
  return [
    source
    for source in SOURCES.values()
    if all(any_matches(mark, names) for mark in source.marks)
  ]


def any_matches(regex: str, names: Collection[str]) -> bool:
  """Returns whether an expression is the whole of one of the names."""
  expression = re.compile(regex)
  return any(expression.fullmatch(name) for name in names)
