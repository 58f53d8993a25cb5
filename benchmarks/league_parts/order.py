"""Accuracy for pairs of classes, each of which is the other played backwards.

A network that sees the frames but not their order may know the pair of a clip,
but not which of both it is.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from temporal_jax.data import datasets
from temporal_jax.data.datasets import something_moves, virtual_camera

_EVENTS = {events: name for name, events in something_moves.CLASSES.items()}
# Task -> class -> the class that it is when it is played backwards.
_REVERSALS: Mapping[str, Mapping[str, str]] = MappingProxyType(
  {
    "camera_motion": {
      **virtual_camera.REVERSAL,
      **{motion: name for name, motion in virtual_camera.REVERSAL.items()},
    },
    "something_moves": {
      name: _EVENTS[events[::-1]] for events, name in _EVENTS.items()
    },
  }
)


def pair_accuracy(task: str, confusion: Sequence[Sequence[int]]) -> float:
  """Returns the share of clips whose class or its time-reversal was predicted.

  Args:
    task: A key of `config.TASKS`.
    confusion: Number of clips by true and predicted class, in the order of the
      task's classes.

  Raises:
    ValueError: If the matrix is not that of the task's classes.
  """
  names = tuple(datasets.find_builder(task).CLASSES)
  if [len(row) for row in confusion] != [len(names)] * len(names):
    raise ValueError(
      f"the confusions of {task} must be {len(names)} x {len(names)} numbers, got "
      f"rows of {[len(row) for row in confusion]}."
    )
  backwards = _REVERSALS[task]
  known = sum(
    row[place] + row[names.index(backwards[name])]
    for place, (name, row) in enumerate(zip(names, confusion, strict=True))
  )
  return known / sum(map(sum, confusion))
