"""Removes prefixes of tensors' names, such as "module." or "backbone."."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from convert_weights import registry
from convert_weights.checkpoint_format import CheckpointFormat
from convert_weights.planning.mapping import TensorMapping

_DEEPEST = 5  # Parts of the longest prefix that is looked for.
_LISTED = 6  # Names in a message.
# Contrastive learning (MoCo) -> its moving average, which is not taken. Both
# end with a projection instead of a classifier.
_MOMENTUM = {
  "encoder_q.": "encoder_k.",
  "base_encoder.": "momentum_encoder.",
}
_PROJECTION = r"(fc|head)\..+"


class Stripped(NamedTuple):
  """Tensors by their names without a prefix.

  Attributes:
    prefix: The removed prefix, "" for none.
    tensors: Those that had it.
    outside: Full name of any other tensor -> why it stays unused.
  """

  prefix: str
  tensors: Mapping[str, Any]
  outside: Mapping[str, str] = MappingProxyType({})

  @property
  def notes(self) -> tuple[str, ...]:
    """Removed prefixes and left out tensors, one sentence each."""
    if not self.prefix:
      return ()
    line = f"the prefix {self.prefix!r} of the names is removed."
    if not self.outside:
      return (line,)
    listed = _some(self.outside)
    return line, f"{len(self.outside)} tensors outside of it: {listed}."


def strip(
  tensors: Mapping[str, Any],
  source: str | None = None,
  prefix: str | None = None,
) -> Stripped:
  """Removes the prefix of a network's names.

  Args:
    tensors: Arrays, or their shapes, by name.
    source: Name of the source; by default any.
    prefix: The prefix, with or without the last dot, "" for none. By default
      the only one without which the names are of a source.

  Raises:
    ValueError: If no name has the prefix, or several make a source fit.
  """
  sources = registry.SOURCES.values()
  if source is not None:
    sources = [registry.find_source(source)]
  if prefix is not None:
    return _given(tensors, prefix, sources)
  found = _fitting(tensors, sources)
  if not found or "" in found:
    return Stripped("", tensors)
  if len(found) > 1:
    raise ValueError(
      f"it holds several networks, with the prefixes {found}; choose one with "
      "prefix (--prefix)."
    )
  return _without(tensors, found[0])


def restored(mapping: TensorMapping, stripped: Stripped) -> TensorMapping:
  """Returns the mapping of stripped tensors, by their full names."""
  prefix = stripped.prefix
  steps = tuple(
    step._replace(tensors=tuple(prefix + name for name in step.tensors))
    for step in mapping.steps
  )
  skipped = {prefix + name: reason for name, reason in mapping.skipped.items()}
  return mapping._replace(steps=steps, skipped=skipped | dict(stripped.outside))


def _given(
  tensors: Mapping[str, Any], prefix: str, sources: Iterable[CheckpointFormat]
) -> Stripped:
  if not prefix:
    return Stripped("", tensors)
  for form in (f"{prefix}.", f"{prefix}/", prefix):
    if any(name.startswith(form) and name != form for name in tensors):
      return _without(tensors, form)
  found = _fitting(tensors, sources) or _first_parts(tensors)
  raise ValueError(
    f"no name begins with the prefix {prefix!r}; names begin with {found}."
  )


def _without(tensors: Mapping[str, Any], prefix: str) -> Stripped:
  inside, outside = {}, {}
  projects = any(
    prefix.endswith(query) and _has_part(average, tensors)
    for query, average in _MOMENTUM.items()
  )
  for name, tensor in tensors.items():
    rest = name.removeprefix(prefix)
    if rest == name or not rest:
      outside[name] = f"outside of the prefix {prefix!r}" + _average(name)
    elif projects and re.fullmatch(_PROJECTION, rest):
      outside[name] = "a projection of contrastive learning, no classifier"
    else:
      inside[rest] = tensor
  return Stripped(prefix, inside, outside)


def _average(name: str) -> str:
  """Returns a remark on a name of a moving average, "" on others."""
  if any(_has_part(average, [name]) for average in _MOMENTUM.values()):
    return ": the moving average of contrastive learning"
  return ""


def _fitting(
  tensors: Collection[str], sources: Iterable[CheckpointFormat]
) -> list[str]:
  """Returns the prefixes without which the names are of a source.

  Those inside of another are left out: it keeps more of the tensors.
  """
  found = set()
  for source in sources:
    shared = None
    for mark in source.marks:
      ends = _before(re.compile(mark), tensors)
      shared = ends if shared is None else shared & ends
    found |= shared or set()
  ordered = sorted(found, key=lambda one: (len(one), one))
  outermost = [
    one
    for place, one in enumerate(ordered)
    if not any(one.startswith(other) for other in ordered[:place])
  ]
  for query, average in _MOMENTUM.items():
    if _has_part(query, tensors):
      outermost = [one for one in outermost if not one.endswith(average)]
  return outermost


def _before(mark: re.Pattern, names: Collection[str]) -> set[str]:
  """Returns the texts in front of a mark in any of the names."""
  found = set()
  for name in names:
    start = 0
    for _ in range(_DEEPEST + 1):
      if mark.fullmatch(name, start):
        found.add(name[:start])
      start = min(
        (end + 1 for end in (name.find(".", start), name.find("/", start)) if end >= 0),
        default=0,
      )
      if not start:
        break
  return found


def _has_part(part: str, names: Iterable[str]) -> bool:
  """Whether a name has a part, e.g. "encoder_q."."""
  return any(f".{part}" in f".{name}" for name in names)


def _first_parts(names: Iterable[str]) -> Sequence[str]:
  parts = dict.fromkeys(re.split(r"(?<=[./])", name)[0] for name in names)
  return list(parts)[:_LISTED]


def _some(names: Collection[str]) -> str:
  more = ", ..." if len(names) > _LISTED else ""
  return ", ".join(list(names)[:_LISTED]) + more
