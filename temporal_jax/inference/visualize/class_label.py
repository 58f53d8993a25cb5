"""Finds a class by its name."""

from collections.abc import Mapping
from typing import NamedTuple

from temporal_jax.inference.runtime.saved_model import SavedModel
from temporal_jax.lookup import lookup


class Target(NamedTuple):
  """A class of a network.

  Attributes:
    task: Task of the class, None if there is only one task.
    index: Its number.
  """

  task: str | None
  index: int


def named_targets(saved: SavedModel) -> dict[str, Target]:
  """Returns all classes by their names, with several tasks as "task:name".

  Where the names are not known they are called by their numbers.
  """
  names = saved.class_names or _numbers(saved.description["num_classes"])
  if isinstance(names, Mapping):
    return {
      f"{task}:{name}": Target(task, index)
      for task, of_task in names.items()
      for index, name in enumerate(of_task)
    }
  return {name: Target(None, index) for index, name in enumerate(names)}


def find_target(saved: SavedModel, name: str) -> Target:
  """Returns the class of a name of `named_targets`.

  Raises:
    ValueError: If there is none; it lists names that are near.
  """
  return lookup(named_targets(saved), name, "class", of=saved.name)


def _numbers(
  num_classes: int | Mapping[str, int],
) -> tuple[str, ...] | dict[str, tuple[str, ...]]:
  """Returns the classes' numbers as names, or a dict of them by task."""
  if isinstance(num_classes, Mapping):
    return {task: _numbers(count) for task, count in num_classes.items()}
  return tuple(map(str, range(num_classes)))
