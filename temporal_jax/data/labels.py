"""Labels of a video: a class, one class per task, or several classes."""

import re
from collections.abc import Iterable, Mapping

# One class; one of each task, in the order of the tasks; or a set of classes.
Label = int | tuple[int, ...] | frozenset[int]
# Names of the classes, or a dict with the names of each task.
ClassNames = tuple[str, ...] | Mapping[str, tuple[str, ...]]


# Whole numbers, as "7", "-1" or, from a column that pandas made float, "7.0";
# longer ones are no numbers of classes.
_WHOLE = re.compile("([+-]?[0-9]{1,18})([.]0*)?")


def class_order(names: Iterable[str]) -> tuple[str, ...]:
  """Returns distinct class names in the order of their numbers.

  Where all are whole numbers ("2", "-1", "2.0") they go by their value: -1, 0,
  2, 10. Otherwise they go by their letters, as Python sorts text.
  """
  distinct = sorted(set(names))
  values = whole_numbers(distinct)
  if values is None:
    return tuple(distinct)
  pairs = sorted(zip(values, distinct, strict=True))
  return tuple(name for _, name in pairs)


def whole_numbers(names: Iterable[str]) -> list[int] | None:
  """Returns the values of names, None unless all are whole numbers."""
  matches = [_WHOLE.fullmatch(name) for name in names]
  return [int(match[1]) for match in matches] if all(matches) else None


def by_task(class_names: ClassNames) -> dict[str, tuple[str, ...]]:
  """Returns the names of each task; a single task has the name ""."""
  if isinstance(class_names, Mapping):
    return {task: tuple(names) for task, names in class_names.items()}
  return {"": tuple(class_names)}


def label_names(label: Label, class_names: ClassNames) -> tuple[str, ...]:
  """Returns the names of a label's classes, sorted where it is a set."""
  if isinstance(label, tuple):
    return tuple(
      names[one] for names, one in zip(class_names.values(), label, strict=True)
    )
  if isinstance(label, frozenset):
    return tuple(sorted(class_names[one] for one in label))
  return (class_names[label],)
