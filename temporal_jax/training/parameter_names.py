"""Names of parameters, and the regexes that pick some of them.

A parameter's name is its path, "block3/mlp/expand/kernel". A regex must fit the
whole name (`re.fullmatch`), of several the first that fits counts, and one that
has no effect is a mistake, except after a question mark:
"?.*/route/.*" is for networks that have such parameters.
"""

import collections
import re
from collections.abc import Iterable, Sequence

import jax

from temporal_jax.lookup import did_you_mean
from temporal_jax.training.state import Tree

OPTIONAL = "?"  # No regex begins so: there is nothing that it could repeat.
_FEW = 4  # Names that are listed one by one, and groups of more.
_NUMBER = re.compile(r"(?<=[a-z])\d+(?=[_/])")  # Stages, blocks and layers have one.


def path_name(path: jax.tree_util.KeyPath) -> str:
  """Returns the name of the leaf at a path of a tree of parameters."""
  return jax.tree_util.keystr(path, simple=True, separator="/")


def named(params: Tree) -> dict[str, jax.Array]:
  """Returns name -> parameter; arrays may be abstract."""
  leaves, _ = jax.tree_util.tree_flatten_with_path(params)
  return {path_name(path): leaf for path, leaf in leaves}


def first_fits(
  field: str, regexes: Sequence[str], names: Iterable[str]
) -> dict[str, int]:
  """Returns name -> position of the first regex that fits, where one does.

  Args:
    field: Name of the config's field with the regexes, for the errors.
    regexes: Regexes of whole names, the first that fits counts.
    names: Names of all parameters.

  Raises:
    ValueError: If a regex is none, or has no effect without being optional.
  """
  names = list(names)
  patterns = [_compile(field, regex.removeprefix(OPTIONAL)) for regex in regexes]
  fits = {}
  for name in names:
    for position, pattern in enumerate(patterns):
      if pattern.fullmatch(name):
        fits[name] = position
        break
  for position, pattern in enumerate(patterns):
    if position in fits.values() or regexes[position].startswith(OPTIONAL):
      continue
    if any(map(pattern.fullmatch, names)):
      raise ValueError(
        f"{field}: {pattern.pattern!r} has no effect: earlier regexes fit every "
        "parameter that it fits."
      )
    raise ValueError(
      f"{field}: {pattern.pattern!r} must fit the whole name of a parameter "
      f"and fits none{did_you_mean(pattern.pattern, names, cutoff=0)}"
    )
  return fits


def summarize_names(names: Iterable[str]) -> str:
  """Returns names of leaves in a line: many are counted by their kind.

  Few are listed; of more those that differ in the numbers of blocks count
  together: "26 leaves (24 x params/block*/mlp/fc1/kernel, params/norm/bias)".
  If there are many kinds, leaves of one module go together, if that makes few:
  "240 leaves (240 x params/block*/mlp_branch/...)".
  """
  names = sorted(names)
  if len(names) <= _FEW:
    return ", ".join(names)
  paths = [_NUMBER.sub("*", name).split("/") for name in names]
  kinds = collections.Counter(map("/".join, paths))
  for depth in range(max(map(len, paths)) - 1, 1, -1):
    if len(kinds) <= _FEW:
      break
    modules = collections.Counter(_cut(path, depth) for path in paths)
    kinds = modules if len(modules) <= _FEW else kinds
  listed = [
    f"{times} x {kind}" if times > 1 else kind
    for kind, times in kinds.most_common(_FEW)
  ]
  if len(kinds) > _FEW:
    listed.append(f"{len(kinds) - _FEW} other kinds")
  return f"{len(names)} leaves ({', '.join(listed)})"


def _cut(path: list[str], depth: int) -> str:
  """Returns the first parts of a path, with dots for others."""
  return "/".join([*path[:depth], "..."] if len(path) > depth else path)


def _compile(field: str, regex: str) -> re.Pattern:
  """Compiles a regex; an error names its field."""
  try:
    return re.compile(regex)
  except re.error as error:
    raise ValueError(f"{field}: {regex!r} is no regex: {error}.") from None
