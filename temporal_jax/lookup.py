"""Looks names up in tables, and builds tables from modules' declarations."""

import difflib
import importlib
import pkgutil
import reprlib
import sys
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

_T = TypeVar("_T")
# Longer lists hide the near names, which come before them, and are cut.
_LONGEST, _CUT = 40, 10
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 80


def lookup(
  table: Mapping[str, _T],
  name: Any,
  kind: str,
  *,
  of: str = "",
  listed_by: str = "",
) -> _T:
  """Returns the entry of a table.

  Args:
    table: Entries by name.
    name: The name that somebody wrote.
    kind: Kind of the entries, such as "activation".
    of: Owner of the entries, such as a network's name; "" if there is only one.
    listed_by: Command or page that lists all names, for long tables.

  Raises:
    ValueError: If the table has no such name; see `unknown_name`.
  """
  if isinstance(name, str) and name in table:
    return table[name]
  raise ValueError(unknown_name(name, table, kind, of=of, listed_by=listed_by))


def unknown_name(
  name: Any,
  known: Iterable[str],
  kind: str,
  *,
  of: str = "",
  listed_by: str = "",
) -> str:
  """Returns the message about a name that is not known.

  It is "unknown KIND 'nam'; did you mean 'name'? Known: ['name', ...].", with
  the first of the known names only if they are many.

  Args:
    name: The name that somebody wrote.
    known: All names.
    kind: Kind of the named things, such as "activation".
    of: Owner of the names, such as a network's name; "" if there is only one.
    listed_by: Command or page that lists all names, for long tables.
  """
  known = list(known)
  met = f"{kind} {_SHORT.repr(name)}" + (f" of {of}" if of else "")
  hint = did_you_mean(name, known) or "."
  listed = f"{known}"
  if len(known) > _LONGEST:
    listed = f"{known[:_CUT]} and {len(known) - _CUT} more"
    listed += f"; {listed_by} lists all" if listed_by else ""
  return f"unknown {met}{hint} Known: {listed}."


def did_you_mean(name: Any, known: Iterable[str], *, cutoff: float = 0.6) -> str:
  """Returns "; did you mean 'a' or 'b'?", or "" if no name is near.

  Args:
    name: The name that somebody wrote.
    known: All names.
    cutoff: See `near_names`.
  """
  near = near_names(name, known, cutoff=cutoff)
  return f"; did you mean {' or '.join(map(repr, near))}?" if near else ""


def near_names(
  name: Any, known: Iterable[str], *, count: int = 3, cutoff: float = 0.6
) -> list[str]:
  """Returns the names that are most similar to another one, the nearest first.

  Args:
    name: The name that somebody wrote.
    known: All names.
    count: Names to return, at most.
    cutoff: Least similarity, from 0 for any name to 1 for equal ones.
  """
  # Comparing takes time that grows with the square of the length.
  return difflib.get_close_matches(str(name)[:200], list(known), count, cutoff)


def declared(package: str, attribute: str) -> dict[str, Any]:
  """Returns the entries that the modules of a package declare.

  All modules of the package, and of packages in it, are imported, except one
  called "registry", which is the one that asks.

  Args:
    package: Name of the package, which is imported.
    attribute: Name in the modules.

  Returns:
    The value of each module that has the attribute, by the module's name
    within the package, such as "shift" or "tada.route_mlp".
  """
  found = {}
  prefix = f"{package}."
  modules = pkgutil.walk_packages(sys.modules[package].__path__, prefix)
  for name in sorted(module.name.removeprefix(prefix) for module in modules):
    if name != "registry":
      module = importlib.import_module(prefix + name)
      if hasattr(module, attribute):
        found[name] = getattr(module, attribute)
  return found


def alike_names(known: Iterable[str], names: Iterable[str]) -> str:
  """Returns words about a pair of class names that may be meant to be one.

  Args:
    known: Names of one side, such as those of a network.
    names: Names of the other.

  Returns:
    " (A is not B: names must be equal)"; "" if no two are alike.
  """
  plain = {_plain(name): name for name in known if _plain(name)}
  for name in names:
    other = plain.get(_plain(name), name)
    if other == name or not any(map(str.isalpha, name)):  # "-1", "1": only digits.
      continue
    # Accents in one or in two characters look alike: their codes are shown.
    alike = unicodedata.normalize("NFC", name) == unicodedata.normalize("NFC", other)
    show = ascii if alike else repr
    return f" ({show(name)} is not {show(other)}: names must be equal)"
  return ""


def _plain(name: str) -> str:
  """Returns a name's letters and digits, in lower case.

  An accented letter is one character, as in most files, or two, as in names of
  folders that macOS made.
  """
  composed = unicodedata.normalize("NFKC", name)
  return "".join(filter(str.isalnum, composed)).casefold()
