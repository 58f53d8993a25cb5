"""What a video is labelled with: a class, one of each task, or several."""

from collections.abc import Mapping

import numpy as np

# One class; one of each task, in the order of the tasks; or a set of classes.
Label = int | tuple[int, ...] | frozenset[int]
# Names of the classes, or of those of each task.
ClassNames = tuple[str, ...] | Mapping[str, tuple[str, ...]]


def encode_label(label: Label, class_names: ClassNames) -> np.ndarray:
  """Returns a label as an array.

  Args:
    label: Of one video.
    class_names: Of its source.

  Returns:
    int32 () of one class, int32 (K,) of K tasks, or float32 (L,) of a set: 1
    for the classes in it, 0 for the others.
  """
  if isinstance(label, frozenset):
    several = np.zeros(len(class_names), np.float32)
    several[list(label)] = 1
    return several
  return np.asarray(label, np.int32)


def by_task(class_names: ClassNames) -> dict[str, tuple[str, ...]]:
  """Returns the names of each task; those of a single task as task ""."""
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
