"""Finds the rows of a loaded head for classes, by their names."""

import collections
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from flax import traverse_util

from temporal_jax.lookup import alike_names
from temporal_jax.training.state import Tree

_NAMED = 5  # Classes that a message names, at most.


class Match(NamedTuple):
  """Classes of loaded weights for each class of the data.

  Attributes:
    rows: For each class of the data the number of the same class in the
      weights, -1 if it starts anew.
    num_loaded: Number of classes of the weights.
    words: The matching in words, to be printed; "" if the classes are the same.
  """

  rows: tuple[int, ...]
  num_loaded: int
  words: str


class ClassRows(NamedTuple):
  """Axis of a leaf that counts classes, and the loaded classes for it.

  Attributes:
    axis: Axis of the leaf along which the classes are.
    task: Name of their task; "" if there is only one.
    match: Classes of the loaded leaf, for each class of the data.
  """

  axis: int
  task: str
  match: Match


def match_classes(
  loaded: Sequence[str],
  own: Sequence[str],
  *,
  num_loaded: int,
  same: Mapping[str, str] = MappingProxyType({}),
) -> Match:
  """Finds the classes of the data among the classes of loaded weights, by name.

  Where one side has no names, or only the numbers 0 ... L - 1 for names, and
  both have L classes, they are matched by their numbers.

  Args:
    loaded: Names of the classes of the weights; () if they are not known.
    own: Names of the classes of the data.
    num_loaded: Number of classes of the weights.
    same: Pairs of names of one class, {"a name": "its other name"}. They count
      where no class of the weights has the name itself.

  Raises:
    ValueError: If a name is there twice, or there are not `num_loaded` names.
  """
  loaded, own = tuple(loaded), tuple(own)
  check_distinct(loaded, "the weights")
  check_distinct(own, "the data")
  if loaded and len(loaded) != num_loaded:
    raise ValueError(
      f"the weights have {num_loaded} classes, but {len(loaded)} names of them."
    )
  count = len(own)
  if loaded == own:
    return Match(tuple(range(count)), num_loaded, "")
  numbers = {name: number for number, name in enumerate(loaded)}
  others = {same.get(name, name): number for name, number in numbers.items()}
  rows = tuple(numbers.get(name, others.get(same.get(name, name), -1)) for name in own)
  if any(row >= 0 for row in rows):
    return Match(rows, num_loaded, _found(loaded, own, rows))
  if num_loaded == count and (by_number := _by_number(loaded, own)):
    return by_number
  if not loaded:
    words = f"the weights have {num_loaded} classes without names"
  else:
    words = f"no class has the name of one of the {num_loaded} of the weights"
  words = f"{words}: all {count} classes start anew"
  return Match(rows, num_loaded, words + alike_names(loaded, own))


def check_distinct(names: Sequence[str], whose: str) -> None:
  """Refuses names that two classes share.

  Args:
    names: Names of classes.
    whose: Owner of the classes, such as "the weights", for the message.

  Raises:
    ValueError: If a name is there twice.
  """
  twice = [name for name, n in collections.Counter(names).items() if n > 1]
  if twice:
    raise ValueError(f"{whose} have two classes of the same name: {twice[:5]}.")


def class_axes(
  shapes: Tree, grown: Tree, growth: Mapping[str, int]
) -> dict[str, tuple[int, str]]:
  """Finds the leaves that have an entry for each class.

  Args:
    shapes: Shapes of the variables of a network.
    grown: Shapes of the same network with more classes.
    growth: Number of added classes by task; the numbers differ.

  Returns:
    Axis and task by the leaf's name.
  """
  tasks = {more: task for task, more in growth.items()}
  before, after = (
    traverse_util.flatten_dict(tree, sep="/") for tree in (shapes, grown)
  )
  found = {}
  for name in before.keys() & after.keys():
    pairs = zip(before[name].shape, after[name].shape, strict=True)
    for axis, (old, new) in enumerate(pairs):
      if new - old in tasks:
        found[name] = (axis, tasks[new - old])
  return found


def _by_number(loaded: Sequence[str], own: Sequence[str]) -> Match | None:
  """Matches as many classes by their numbers, if one side has no real names."""
  count = len(own)
  of_loaded, of_own = _numbers(loaded), _numbers(own)
  if not loaded:
    rows = of_own or range(count)
    words = f"the names of the weights' {count} classes are unknown: "
    words += "taken by number" if of_own else "its order is kept"
  elif of_loaded:
    place = {number: row for row, number in enumerate(of_loaded)}
    rows = [place[number] for number in range(count)]
    words = f"the weights have numbers for names of {count} classes: "
    words += "taken by number"
  elif of_own:
    rows = of_own
    words = f"the data has numbers for names of {count} classes: "
    words += "taken by number"
  else:
    return None
  return Match(tuple(rows), count, words)


def _numbers(names: Sequence[str]) -> list[int]:
  """Returns names that are the numbers 0 ... L - 1 as such, else []."""
  if not all(name.isascii() and name.isdigit() for name in names):
    return []
  numbers = [int(name) for name in names]
  return numbers if sorted(numbers) == list(range(len(names))) else []


def _found(loaded: Sequence[str], own: Sequence[str], rows: Sequence[int]) -> str:
  """Returns a text about classes taken over, new ones, and ones left."""
  pairs = list(zip(own, rows, strict=True))
  new = [name for name, row in pairs if row < 0]
  taken = set(rows)
  left = [name for number, name in enumerate(loaded) if number not in taken]
  other = [
    f"{name} is {loaded[row]}"
    for name, row in pairs
    if row >= 0 and loaded[row] != name
  ]
  if new or left:
    words = f"{len(own) - len(new)} of {len(own)} classes by name"
  else:
    reordered = " reordered" if list(rows) != sorted(rows) else ""
    words = f"{len(own)} classes{reordered} by name"
  if other:
    words += f", {len(other)} of them by another name: {shorten(other)}"
  if new:
    words += f", {len(new)} start anew: {shorten(new)}"
  if left:
    words += f", {len(left)} of the weights left out: {shorten(left)}"
  return words + alike_names(left, new)


def shorten(names: Sequence[str]) -> str:
  """Returns names as a list, of many only the first."""
  more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
  return f"{list(names[:_NAMED])}{more}"
