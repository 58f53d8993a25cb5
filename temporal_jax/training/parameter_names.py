"""Names of parameters, and the regexes that pick some of them.

A parameter's name is its path, "block3/mlp/expand/kernel". A regex must fit the
whole name (`re.fullmatch`), of several the first that fits counts, and one that
counts for no parameter is a mistake.
"""

import difflib
import re
from collections.abc import Iterable, Sequence

import jax

from temporal_jax.training.state import Tree


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
    field: What the regexes are, for the errors.
    regexes: In their order.
    names: Names of all parameters.

  Raises:
    ValueError: If a regex is none, or counts for no parameter.
  """
  names = list(names)
  patterns = [_compile(field, regex) for regex in regexes]
  fits = {}
  for name in names:
    for position, pattern in enumerate(patterns):
      if pattern.fullmatch(name):
        fits[name] = position
        break
  for position, pattern in enumerate(patterns):
    if position in fits.values():
      continue
    if any(map(pattern.fullmatch, names)):
      raise ValueError(
        f"{field}: {pattern.pattern!r} counts for no parameter: regexes before "
        "it fit all that it fits."
      )
    near = difflib.get_close_matches(pattern.pattern, names, n=3, cutoff=0)
    raise ValueError(
      f"{field}: {pattern.pattern!r} must fit the whole name of a parameter "
      f"and fits none; near ones are {', '.join(near)}."
    )
  return fits


def _compile(field: str, regex: str) -> re.Pattern:
  """Compiles a regex; an error says where it stands."""
  try:
    return re.compile(regex)
  except re.error as error:
    raise ValueError(f"{field}: {regex!r} is no regex: {error}.") from None
